#include "checks/gpu/p2p_access.h"

#include <algorithm>
#include <optional>

#include "checks/gpu/cuda_error.h"
#include "checks/gpu/nvml.h"

namespace rackproof {
namespace {

// False where there is none, or the driver opens no more of them.
bool open_one(const Gpu& from, const Gpu& to) {
  int can = 0;
  cuda_call(cudaDeviceCanAccessPeer(&can, from.index, to.index), "cudaDeviceCanAccessPeer", from.index);
  if (can == 0) return false;
  use_gpu(from.index);
  const cudaError_t code = cudaDeviceEnablePeerAccess(to.index, 0);
  if (code == cudaSuccess) return true;
  if (CudaError error(code, "cudaDeviceEnablePeerAccess", from.index); error.is_final()) throw error;
  cudaGetLastError();  // which forgets it
  return code == cudaErrorPeerAccessAlreadyEnabled;
}

void count_nvlinks(Context& context, Crew& crew, Access& access) {
  access.nvlinks.assign(crew.size(), -1);
  access.remotes.resize(crew.size());
  std::string why;
  const std::optional<Nvml> nvml = Nvml::open(context.sysroot(), why);
  if (!nvml) return context.note("NVLinks are not counted: " + why);
  for (const Hand& hand : crew.hands()) {
    const Nvml::Found found = nvml->by_pci(hand.gpu.address);
    if (!found.gpu || !found.gpu->nvlinks()) continue;
    std::int64_t up = 0;
    for (const NvmlGpu::Nvlink& link : found.gpu->each_nvlink()) {
      if (!link.active) continue;
      ++up;
      ++access.remotes[hand.number][link.remote];
    }
    access.nvlinks[hand.number] = up;
    context.measure("nvlinks", hand.gpu.id, static_cast<double>(up));
  }
}

}  // namespace

std::int64_t Access::nvlinks_between(Pair pair) const {
  const auto& [from, to] = pair;
  if (nvlinks[from] <= 0 || nvlinks[to] <= 0) return 0;
  if (const auto direct = remotes[from].find(addresses[to]); direct != remotes[from].end()) return direct->second;
  const auto ends_at_gpu = [&](const auto& remote) {
    return std::ranges::find(addresses, remote.first) != addresses.end();
  };
  // Wired directly, only not to each other.
  if (std::ranges::any_of(remotes[from], ends_at_gpu)) return 0;
  return std::min(nvlinks[from], nvlinks[to]);
}

Access open_access(Context& context, Crew& crew) {
  Access access;
  access.reaches.assign(crew.size(), std::vector<bool>(crew.size(), false));
  for (const Hand& hand : crew.hands()) access.addresses.push_back(hand.gpu.address);
  std::string without;
  for (Hand& from : crew.hands()) {
    double peers = 0;
    for (Hand& to : crew.hands()) {
      if (from.number == to.number) continue;
      crew.attempt(from, [&] { access.reaches[from.number][to.number] = open_one(from.gpu, to.gpu); });
      if (access.reaches[from.number][to.number]) ++peers;
    }
    if (!from.is_out) context.measure("peers", from.gpu.id, peers);
    if (!from.is_out && peers + 1 < static_cast<double>(crew.size())) {
      without += (without.empty() ? "" : ", ") + from.gpu.id + " reaches " + std::to_string(static_cast<int>(peers));
    }
  }
  if (!without.empty()) {
    context.note("no direct access between all GPUs (of " + std::to_string(crew.size() - 1) + " peers, " + without +
                 "): copies between the others go through host memory, and have no latency of their own");
  }
  count_nvlinks(context, crew, access);
  return access;
}

}  // namespace rackproof
