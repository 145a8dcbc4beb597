// A distribution of latencies, batch by batch: each percentile is the median of the batches' own, so that its interval
// says how well it repeats.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "checks/api/report.h"

namespace rackproof {

using Batch = std::vector<std::int64_t>;  // nanoseconds of round trips, in any order

// The smallest value that at least this share of the batch does not exceed. The batch is reordered, and not empty.
std::int64_t percentile(Batch&, double share);

// Half of the round trips' percentile in microseconds.
Measurement half_trips(std::vector<Batch>&, double share, bool steady, std::string_view metric,
                       std::string_view device);
// Half of the longest of all.
double worst_half_trip_us(std::span<const Batch>);

}  // namespace rackproof
