// Errors of a PCIe link that the hardware put right, as the kernel counts them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "checks/api/pci.h"

namespace rackproof {

// Of both ends of the device's link, since each end counts what it received; nullopt when neither end counts.
std::optional<std::int64_t> aer_correctable(const SysRoot&, const PciDevice&);

}  // namespace rackproof
