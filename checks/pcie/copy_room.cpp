#include "checks/pcie/copy_room.h"

#include <algorithm>
#include <sstream>
#include <string>

#include "checks/gpu/cuda_handles.h"
#include "checks/pcie/copy_plan.h"

namespace rackproof {
namespace {

constexpr std::size_t kLeastChunk = 64 << 10;

std::size_t available_on_host(const SysRoot& root) {
  const std::string text = root.text("/proc/meminfo").value_or("");
  const std::size_t at = text.find("MemAvailable:");
  std::istringstream words(at == std::string::npos ? "" : text.substr(at + sizeof "MemAvailable:" - 1));
  std::size_t kilobytes = 0;
  return words >> kilobytes ? kilobytes << 10 : std::size_t{8} << 30;
}

std::string mebibytes(std::size_t bytes) { return shortest(static_cast<double>(bytes >> 10) / 1024) + " MiB"; }

}  // namespace

std::size_t choose_chunk(Context& context, std::vector<Gpu>& gpus) {
  const auto wanted = static_cast<std::size_t>(std::max(0.0, context.param<double>("size")));
  if (wanted < kLeastChunk) throw Trouble{"the parameter 'size' is less than 64 KiB"};
  const std::size_t on_host = available_on_host(context.sysroot());
  std::size_t chosen = wanted;
  std::vector<Gpu> kept;
  for (const Gpu& gpu : gpus) {
    std::size_t free = 0;
    std::size_t total = 0;
    use_gpu(gpu.index);
    cuda_call(cudaMemGetInfo(&free, &total), "cudaMemGetInfo", gpu.index);
    const std::size_t chunk = chunk_size(wanted, free, on_host, gpus.size());
    if (chunk < kLeastChunk) {
      context.note(gpu.id + " is not measured: " + mebibytes(free) + " of its memory and " + mebibytes(on_host) +
                    " of the host's are free, which is too little");
      continue;
    }
    chosen = std::min(chosen, chunk);
    kept.push_back(gpu);
  }
  if (kept.empty()) throw Trouble{"there is too little free memory, on the GPUs or on the host, to copy anything"};
  gpus = std::move(kept);
  context.note("copies of " + mebibytes(chosen) + ", " + std::to_string(kRing) + " a burst; about " +
                mebibytes((gpus.size() + 2) * (kSources + kRing) * chosen) + " of host memory are pinned meanwhile");
  return chosen;
}

}  // namespace rackproof
