// What adapters and disks show below their PCI function: classes, ports, counters.
#pragma once

#include <string>

#include "tests/simulator/layout_tree.h"
#include "tests/simulator/profile.h"

namespace rackproof::simulator {

// `place`: the function's folder below /sys/devices.
void lay_out_nic(LayoutTree&, const Profile&, const SimulatedNic&, const std::string& place);
void lay_out_disk(LayoutTree&, const SimulatedDisk&, const std::string& place, int number);

}  // namespace rackproof::simulator
