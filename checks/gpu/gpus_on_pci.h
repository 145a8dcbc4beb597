// NVIDIA's GPUs as PCI shows them, whatever their driver says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checks/api/pci.h"

namespace rackproof {

// Whole ones, sorted by address: no virtual functions, which are pieces of one.
std::vector<PciDevice> nvidia_gpus_on_pci(const SysRoot&);

// Of the kernel, bound to the device at this address; empty: none, or not told.
std::string kernel_driver(const SysRoot&, std::string_view address);

// False where the GPU was given to somebody else, as with vfio-pci to a virtual machine.
bool is_for_nvidia(std::string_view kernel_driver);

}  // namespace rackproof
