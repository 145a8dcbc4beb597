// Which entries of a batch of products are looked at one by one.
#pragma once

#include <cstdint>

#include "checks/gpu/operand_values.h"

namespace rackproof {

// Where the n-th looked-at entry of a batch of products lies.
struct Entry {
  std::uint32_t product = 0;
  std::uint32_t row = 0;
  std::uint32_t column = 0;
};
RACKPROOF_EVERYWHERE inline Entry entry_at(std::uint64_t seed, std::uint32_t n, std::uint32_t size, std::uint32_t batch) {
  const std::uint64_t word = rackproof_word(seed, n);
  Entry entry;
  entry.product = static_cast<std::uint32_t>((word >> 48) % batch);
  entry.row = static_cast<std::uint32_t>(word) % size;
  entry.column = static_cast<std::uint32_t>(word >> 24) % size;
  return entry;
}

}  // namespace rackproof
