// How much of a GPU's memory gpu.memory takes, and in which pieces.
#pragma once

#include <cstddef>

namespace rackproof {

// Of each of the three arrays that are moved: four times the L2 cache, 1 GiB at the least so that the ends of a pass do not
// count, and never more than an eighth of what is free.
std::size_t array_bytes(std::size_t free_bytes, std::size_t l2_bytes);

// Whether arrays of that size leave the L2 cache no part of the work.
bool is_beyond_cache(std::size_t array, std::size_t l2_bytes);

// The pieces in which memory is taken: large enough to be gone over at full rate, small enough that what is left over at
// the end is little.
std::size_t chunk_bytes(std::size_t goal_bytes);

inline constexpr std::size_t kSmallestChunk = 2 << 20;  // what CUDA takes from the driver at a time

}  // namespace rackproof
