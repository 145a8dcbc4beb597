// How large the arrays must be so that memory is measured and not a cache, and how large they may be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checks/api/sysroot.h"
#include "checks/memory/caches.h"

namespace rackproof {

inline constexpr int kArrays = 3;
inline constexpr std::int64_t kCacheMultiple = 4;      // STREAM's rule: each array at least four times the caches
inline constexpr std::int64_t kSliceMultiple = 65536;  // whole pages, whatever their size

// What all arrays together may take.
struct MemoryBound {
  std::int64_t bytes = 0;
  std::string what;  // "half of MemAvailable"
};

// Every bound that is known here: half of what is free on the machine and in the control group, since both are shared
// with others, and the process's own limits.
std::vector<MemoryBound> memory_bounds(const SysRoot&, std::size_t threads);

struct SizeQuestion {
  std::vector<Cache> caches;
  std::size_t threads = 1;
  std::int64_t asked = 0;  // bytes of one array over all threads; 0: as little as the rule allows
  std::vector<MemoryBound> bounds;
};

// Bytes of one array that each thread gets. Every thread gets the same, and enough that behind each cache there lie
// four times its size. Throws Trouble when the rule and the bounds cannot both be kept, and when neither a size nor a
// cache is known.
std::int64_t slice_bytes(const SizeQuestion&);

}  // namespace rackproof
