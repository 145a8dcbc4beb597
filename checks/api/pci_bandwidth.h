// What a PCIe link can carry.
#pragma once

#include "checks/api/pci.h"

namespace rackproof {

// GB/s in each direction after line encoding: 8b/10b at 2.5 and 5 GT/s, 128b/130b at 8 to 32 GT/s, none from 64 GT/s
// on. Headers of packets and flow control are not taken off.
double bandwidth_gbs(const PciLink&);

}  // namespace rackproof
