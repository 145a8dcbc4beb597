// The last-level caches in front of the memory that a set of CPUs reads and writes.
#pragma once

#include <cstdint>
#include <vector>

#include "checks/api/sysroot.h"

namespace rackproof {

struct Cache {
  std::int64_t bytes = 0;
  std::vector<int> cpus;  // of those asked about, the ones behind this cache
  bool operator==(const Cache&) const = default;
};

// The distinct ones: two CPUs share a cache when they name the same shared_cpu_list. A CPU of which the machine tells
// no cache is in none.
std::vector<Cache> last_level_caches(const SysRoot&, const std::vector<int>& cpus);

// "32768K" → 33554432; 0 for anything that is no size.
std::int64_t parse_cache_size(std::string_view text);

}  // namespace rackproof
