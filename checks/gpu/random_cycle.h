// A random walk through memory that comes by every cell once: what a pointer chase follows, so that no prefetcher and no
// open row can be ahead of it. And how the time of its steps is reported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "checks/api/report.h"
#include "checks/api/sampler.h"

namespace rackproof {

// One cell of the walk in each 128 bytes: a line of every NVIDIA cache so far.
inline constexpr std::size_t kCycleStride = 128;  // bytes
inline constexpr std::size_t kCycleStrideWords = kCycleStride / sizeof(std::uint64_t);

// The memory to be chased, of `cells` x kCycleStride bytes: the first word of each cell is the place of the next, counted
// in words. By Sattolo's algorithm, which draws from all permutations of one cycle; the same for the same seed.
std::vector<std::uint64_t> random_cycle(std::size_t cells, std::uint64_t seed);

// Where `steps` steps from place 0 lead.
std::uint64_t place_after(const std::vector<std::uint64_t>& cycle, std::uint64_t steps);

// An estimate in steps a second as time a step, "ns"; its worst is the longest.
Measurement to_step_time(const Estimate&, std::string_view metric, std::string_view device);

}  // namespace rackproof
