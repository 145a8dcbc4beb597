// Which GPUs are nearest to a network adapter on the PCI tree.
#pragma once

#include <string>
#include <vector>

#include "checks/api/pci.h"

namespace rackproof {

struct NearestGpus {
  std::vector<std::string> addresses;  // all that are equally near, sorted
  std::string by;                      // what they share: "switch", "root complex", "numa node" or "machine"
};

// Fewest bridges between them where they share one; else the same root bus, the same NUMA node, the same machine. Empty
// when the machine has no GPU.
NearestGpus nearest_gpus(const SysRoot&, const std::vector<PciDevice>& all, const PciDevice& adapter);

}  // namespace rackproof
