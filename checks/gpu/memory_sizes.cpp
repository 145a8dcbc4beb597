#include "checks/gpu/memory_sizes.h"

#include <algorithm>

namespace rackproof {
namespace {

constexpr std::size_t kGi = 1 << 30;

std::size_t whole(std::size_t bytes) { return bytes / kSmallestChunk * kSmallestChunk; }

}  // namespace

std::size_t array_bytes(std::size_t free_bytes, std::size_t l2_bytes) {
  return whole(std::min(std::max(4 * l2_bytes, kGi), free_bytes / 8));
}

bool is_beyond_cache(std::size_t array, std::size_t l2_bytes) { return array >= 4 * l2_bytes; }

std::size_t chunk_bytes(std::size_t goal_bytes) {
  return std::clamp(whole(goal_bytes / 16), kSmallestChunk, kGi);
}

}  // namespace rackproof
