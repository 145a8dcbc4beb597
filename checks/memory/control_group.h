// What the control groups (cgroup v2) of this process leave it: a container's limits on memory and CPU time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "checks/api/sysroot.h"

namespace rackproof {

struct GroupLimits {
  // Memory that can still be taken before the tightest group kills, page cache counted as free. nullopt: no limit.
  std::optional<std::int64_t> memory_left;
  std::string memory_group;  // which group that is
  std::optional<double> cpus;  // CPU time per time, of the tightest quota
};

GroupLimits group_limits(const SysRoot&);

}  // namespace rackproof
