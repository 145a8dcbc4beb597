#include "checks/pcie/copy_plan.h"

#include <algorithm>

namespace rackproof {
namespace {

constexpr std::size_t kChunks = kSources + kRing;
constexpr std::size_t kGrain = 64 << 10;
constexpr std::uint64_t kFirstSeed = 0x7063'6965;  // any; the same in every run, so that a mismatch can be met again

}  // namespace

std::string_view to_text(Direction direction) {
  return direction == Direction::h2d ? "host to device" : "device to host";
}

std::size_t chunk_size(std::size_t wanted, std::size_t free_on_gpu, std::size_t available_on_host, std::size_t gpus) {
  const std::size_t by_gpu = free_on_gpu / (5 * kChunks);
  const std::size_t by_host = available_on_host / 8 / (kChunks * (gpus + 2));
  return std::min({wanted, by_gpu, by_host}) / kGrain * kGrain;
}

CopyPattern::CopyPattern(std::size_t bytes_of_a_chunk) : bytes(bytes_of_a_chunk) {
  for (std::size_t i = 0; i < kSources; ++i) seeds[i] = kFirstSeed + i;
}

}  // namespace rackproof
