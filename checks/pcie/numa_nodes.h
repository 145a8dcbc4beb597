// Which NUMA nodes hold memory, and which of them is far from another.
#pragma once

#include <vector>

#include "checks/api/sysroot.h"

namespace rackproof {

struct MemoryNode {
  int number = 0;
  std::vector<int> distances;  // to each node that is online, in their order; empty: not told
};

// Those that have memory, in the order of their numbers.
std::vector<MemoryNode> numa_nodes_with_memory(const SysRoot&);

// The one at the greatest distance from `near`; the lowest number among equals. -1 when there is no other.
int far_node(const std::vector<MemoryNode>&, int near);

}  // namespace rackproof
