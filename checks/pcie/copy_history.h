// The timed copies of one direction of one GPU over many bursts, and the figure that they make.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "checks/api/sampler.h"

namespace rackproof {

// Since the gate before it opened, by its GPU's clock.
struct TimedCopy {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
};

// When the first of several lanes that began together had nothing more to do: until then all of them shared what they
// share. The clocks of two GPUs cannot be compared; their times since the gate can.
std::int64_t common_end(std::span<const std::vector<TimedCopy>> lanes);

// Samples of the copies that ended before that; of a lane so slow that none did, its first one.
std::vector<Sample> samples_until(std::span<const TimedCopy>, std::int64_t common_end_ns, std::size_t bytes);

// Both directions at once as one sample whose rate is the sum of the two.
Sample added(const Sample&, const Sample&);

// How long the copies of one figure may take, by the GPU's clock.
struct DurationBounds {
  std::int64_t at_least_ns = 0;
  std::int64_t at_most_ns = 2'000'000'000;
};

class CopyHistory {
 public:
  void add(std::span<const Sample>);

  // nullopt: more copies are needed. All samples from the steady state on count.
  std::optional<Estimate> estimate(const DurationBounds&) const;

 private:
  std::vector<Sample> samples_;
  std::int64_t elapsed_ns_ = 0;
};

}  // namespace rackproof
