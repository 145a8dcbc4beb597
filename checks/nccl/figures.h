// Figures of one size, from the times of all ranks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "checks/api/sampler.h"

namespace rackproof {

// Of one iteration, by rank: from each rank's entry to its exit. All leave at about the same time, so who entered late
// spends less time in it: clocks of two GPUs need not be compared.
using RankTimes = std::vector<std::int64_t>;

// From the first entry to the last exit.
std::int64_t whole_time(const RankTimes&);
// How much later than the first each rank entered.
std::vector<double> lateness_ns(const RankTimes&);

// Over iterations, each rank's median.
std::vector<double> median_lateness_ns(std::span<const RankTimes>);
std::vector<double> median_time_ns(std::span<const RankTimes>);
// The median of how late the last rank entered.
double median_skew_ns(std::span<const RankTimes>);

// A rate as it is told of links: GB/s times the factor.
Measurement bus_rate(const Estimate&, std::string_view metric, double factor);
// What `bytes` take at the estimated rate, in us, with its interval.
Measurement time_of(const Estimate&, std::string_view metric, std::size_t bytes);

}  // namespace rackproof
