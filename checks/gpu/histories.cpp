#include "checks/gpu/histories.h"

#include <algorithm>
#include <limits>

namespace rackproof {
namespace {

struct Exhausted {};

}  // namespace

std::optional<Estimate> steady_estimate(const History& history, const SamplerBounds& bounds) {
  SamplerBounds endless = bounds;
  endless.at_most_ns = std::numeric_limits<std::int64_t>::max();
  std::size_t next = 0;
  try {
    return sample(
        [&] {
          if (next == history.size()) throw Exhausted{};
          return history[next++];
        },
        endless);
  } catch (const Exhausted&) {
    return std::nullopt;
  }
}

Estimate final_estimate(const History& history, const SamplerBounds& bounds) {
  if (auto estimate = steady_estimate(history, bounds)) return *estimate;
  // With a bound that its own samples reach, the sampler ends where the history does.
  SamplerBounds short_of = bounds;
  short_of.discard = 0;
  short_of.at_most_ns = 0;
  for (const Sample& one : history) short_of.at_most_ns += one.nanoseconds;
  std::size_t next = 0;
  return sample([&] { return history[std::min(next++, history.size() - 1)]; }, short_of);
}

bool all_are_steady(const std::vector<History>& histories, const SamplerBounds& bounds) {
  return std::ranges::all_of(
      histories, [&](const History& one) { return one.empty() || steady_estimate(one, bounds).has_value(); });
}

std::int64_t longest_ns(const std::vector<History>& histories) {
  std::int64_t longest = 0;
  for (const History& one : histories) {
    std::int64_t sum = 0;
    for (const Sample& sample : one) sum += sample.nanoseconds;
    longest = std::max(longest, sum);
  }
  return longest;
}

}  // namespace rackproof
