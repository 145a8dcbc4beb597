// What the PCI bus holds, as devices and links.
#pragma once

#include <vector>

#include "checks/api/pci.h"
#include "checks/api/report.h"
#include "checks/host/cpu_topology.h"

namespace rackproof {

// Root buses first, then the devices, each after the one it is part of.
std::vector<Device> pci_inventory(const SysRoot&, const std::vector<PciDevice>&, const CpuTopology&);

// From each root bus or bridge to what is below it, with speed and width where there is a link between the two.
std::vector<Link> pci_links(const SysRoot&, const std::vector<PciDevice>&);

}  // namespace rackproof
