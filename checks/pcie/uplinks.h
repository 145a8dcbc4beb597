// Which GPUs share a way to the CPU: all that hang under one root port use its link, by however many switches.
#pragma once

#include <string>
#include <vector>

#include "checks/api/pci.h"

namespace rackproof {

struct Uplink {
  std::string root_port;  // address
  std::string device;     // at the other end of the root port's link: the switch's upstream port
  std::vector<std::size_t> gpus;  // places in the list that was given
};

// In the order of the GPUs. A GPU that is under no root port (a virtual machine, an invented machine) is in none.
std::vector<Uplink> uplinks(const std::vector<PciDevice>& all, const std::vector<std::string>& gpus);

// nullptr when no device has the address.
const PciDevice* find_pci(const std::vector<PciDevice>& all, const std::string& address);

}  // namespace rackproof
