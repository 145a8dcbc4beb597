// Disks, network interfaces and InfiniBand ports, as devices.
#pragma once

#include <vector>

#include "checks/api/report.h"
#include "checks/api/sysroot.h"

namespace rackproof {

// Whole disks that are hardware: no partitions, loops, memory disks, volumes, and no drives of removable media.
std::vector<Device> block_inventory(const SysRoot&);

std::vector<Device> net_inventory(const SysRoot&);

std::vector<Device> ib_inventory(const SysRoot&);

}  // namespace rackproof
