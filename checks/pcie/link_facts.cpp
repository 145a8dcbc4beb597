#include "checks/pcie/link_facts.h"

#include <algorithm>

#include "checks/api/quantity.h"

namespace rackproof {

PciLink lesser(const PciLink& a, const PciLink& b) {
  return {std::min(a.speed_gts, b.speed_gts), std::min(a.width_lanes, b.width_lanes)};
}

bool holds_back(const PciLink& port, const PciLink& device) {
  return port.speed_gts < device.speed_gts || port.width_lanes < device.width_lanes;
}

void LinkWatch::look(const std::optional<PciLink>& now) {
  ++looks_;
  if (!now) return;
  if (seen_++ == 0) highest_ = lowest_ = *now;
  highest_ = {std::max(highest_.speed_gts, now->speed_gts), std::max(highest_.width_lanes, now->width_lanes)};
  lowest_ = lesser(lowest_, *now);
}

std::string to_text(const PciLink& link) {
  return shortest(link.speed_gts) + " GT/s x" + std::to_string(link.width_lanes);
}

}  // namespace rackproof
