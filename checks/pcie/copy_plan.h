// How much is copied at a time, and from and to how many places: decided by the memory that is free.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rackproof {

enum class Direction { h2d, d2h };
std::string_view to_text(Direction);  // "host to device"

// Copy number n goes from source n mod kSources to place n mod kRing. The two share no factor, so that what lay in a place
// before never equals what has to be there next, and a copy that does nothing is seen.
inline constexpr std::size_t kSources = 3;
inline constexpr std::size_t kRing = 8;  // also the copies of a burst, so that none is overwritten before it is verified

// Bytes of one copy: as many as `wanted`, unless memory is short: all chunks on a GPU take about a fifth of what is free
// there, and those of all GPUs and two far NUMA nodes at most an eighth of what the host can give. A multiple of 64 KiB; 0
// when not even that is to be had.
std::size_t chunk_size(std::size_t wanted, std::size_t free_on_gpu, std::size_t available_on_host, std::size_t gpus);

// What is copied: words by seed and place, and their hashes as the host computes them.
struct CopyPattern {
  explicit CopyPattern(std::size_t bytes_of_a_chunk);
  std::size_t words() const { return bytes / sizeof(std::uint64_t); }

  std::size_t bytes = 0;
  std::array<std::uint64_t, kSources> seeds{};
};

}  // namespace rackproof
