#include "checks/pcie/host_chase.h"

#include <algorithm>
#include <chrono>

#include "checks/gpu/chase.h"
#include "checks/gpu/cuda_wait.h"
#include "checks/gpu/random_cycle.h"

namespace rackproof {
namespace {

// About 20 ms where a load takes 1 µs.
constexpr std::uint64_t kSteps = 20'000;
constexpr std::chrono::seconds kPatience{30};

}  // namespace

HostChase::HostChase(const std::vector<std::uint64_t>& cycle, int node, int gpu)
    : memory_(cycle.size() * sizeof(std::uint64_t), node, gpu), end_(place_after(cycle, kSteps)) {
  std::ranges::copy(cycle, memory_.get<std::uint64_t>());
}

std::optional<Estimate> HostChase::measure(const Gpu& gpu) const {
  const Stream stream(gpu.index);
  CudaEvent begin(gpu.index);
  CudaEvent end(gpu.index);
  const PinnedMemory last(sizeof(std::uint64_t));
  bool is_right = true;
  const Estimate estimate = sample(
      [&] {
        begin.record(stream);
        start_chase(stream, memory_.get<std::uint64_t>(), memory_.bytes() / sizeof(std::uint64_t), kSteps,
                    last.get<std::uint64_t>());
        end.record(stream);
        need(end, kPatience, "a walk through the host's memory");
        is_right = is_right && *last.get<volatile std::uint64_t>() == end_;
        return Sample{static_cast<std::int64_t>(kSteps), nanoseconds_between(begin, end)};
      },
      {.at_most_ns = 2'000'000'000});
  return is_right ? std::optional(estimate) : std::nullopt;
}

}  // namespace rackproof
