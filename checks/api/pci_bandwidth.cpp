#include "checks/api/pci_bandwidth.h"

namespace rackproof {

double bandwidth_gbs(const PciLink& link) {
  const double encoding = link.speed_gts < 8 ? 8.0 / 10 : link.speed_gts < 64 ? 128.0 / 130 : 1.0;
  return link.speed_gts * encoding / 8 * static_cast<double>(link.width_lanes);
}

}  // namespace rackproof
