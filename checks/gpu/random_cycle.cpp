#include "checks/gpu/random_cycle.h"

#include <numeric>
#include <utility>

namespace rackproof {
namespace {

// SplitMix64: any generator of even bits will do, and this one is three lines.
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

std::vector<std::uint64_t> random_cycle(std::size_t cells, std::uint64_t seed) {
  std::vector<std::size_t> next(cells);
  std::iota(next.begin(), next.end(), std::size_t{0});
  // Each is exchanged with one before it, never with itself: that is what leaves a single cycle.
  for (std::size_t i = cells; i-- > 1;) std::swap(next[i], next[next_random(seed) % i]);
  std::vector<std::uint64_t> memory(cells * kCycleStrideWords, 0);
  for (std::size_t i = 0; i < cells; ++i) memory[i * kCycleStrideWords] = next[i] * kCycleStrideWords;
  return memory;
}

std::uint64_t place_after(const std::vector<std::uint64_t>& cycle, std::uint64_t steps) {
  std::uint64_t at = 0;
  for (std::uint64_t left = steps % (cycle.size() / kCycleStrideWords); left > 0; --left) at = cycle[at];
  return at;
}

Measurement to_step_time(const Estimate& estimate, std::string_view metric, std::string_view device) {
  const auto ns = [](double steps_a_second) { return steps_a_second > 0 ? 1e9 / steps_a_second : 0; };
  const Samples& rates = estimate.samples;
  return {.metric = std::string(metric),
          .device = std::string(device),
          .value = ns(estimate.median),
          .unit = "ns",
          .samples = Samples{.n = rates.n,
                             .low = ns(rates.high),
                             .high = ns(rates.low),
                             .worst = ns(rates.worst),
                             .steady = rates.steady},
          .counted = estimate.counted};
}

}  // namespace rackproof
