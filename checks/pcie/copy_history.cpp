#include "checks/pcie/copy_history.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rackproof {

std::int64_t common_end(std::span<const std::vector<TimedCopy>> lanes) {
  std::int64_t end = std::numeric_limits<std::int64_t>::max();
  for (const std::vector<TimedCopy>& lane : lanes) {
    if (!lane.empty()) end = std::min(end, lane.back().end_ns);
  }
  return end;
}

std::vector<Sample> samples_until(std::span<const TimedCopy> copies, std::int64_t common_end_ns, std::size_t bytes) {
  std::vector<Sample> samples;
  for (const TimedCopy& copy : copies) {
    if (!samples.empty() && copy.end_ns > common_end_ns) break;
    samples.push_back({static_cast<std::int64_t>(bytes), std::max<std::int64_t>(1, copy.end_ns - copy.begin_ns)});
  }
  return samples;
}

Sample added(const Sample& a, const Sample& b) {
  const double rate = static_cast<double>(a.amount) / static_cast<double>(a.nanoseconds) +
                      static_cast<double>(b.amount) / static_cast<double>(b.nanoseconds);
  const std::int64_t amount = a.amount + b.amount;
  return {amount, std::max<std::int64_t>(1, std::llround(static_cast<double>(amount) / rate))};
}

void CopyHistory::add(std::span<const Sample> more) {
  for (const Sample& sample : more) {
    samples_.push_back(sample);
    elapsed_ns_ += sample.nanoseconds;
  }
}

std::optional<Estimate> CopyHistory::estimate(const DurationBounds& bounds) const {
  if (elapsed_ns_ < bounds.at_least_ns) return std::nullopt;
  struct Exhausted {};
  std::size_t next = 0;
  const auto take = [&] {
    if (next == samples_.size()) throw Exhausted{};
    return samples_[next++];
  };
  SamplerBounds sampler{.at_most_ns = std::max(bounds.at_most_ns, bounds.at_least_ns)};
  try {
    const Estimate first = sample(take, sampler);
    if (!first.samples.steady || next == samples_.size()) return first;
    // Once more over the same beginning, now to the end.
    sampler.keep = static_cast<int>(samples_.size() - (next - static_cast<std::size_t>(first.samples.n)));
    sampler.at_most_ns = std::numeric_limits<std::int64_t>::max();
    next = 0;
    return sample(take, sampler);
  } catch (const Exhausted&) {
    return std::nullopt;
  }
}

}  // namespace rackproof
