#include "checks/pcie/uplinks.h"

#include <algorithm>

namespace rackproof {

const PciDevice* find_pci(const std::vector<PciDevice>& all, const std::string& address) {
  const auto found = std::ranges::find(all, address, &PciDevice::address);
  return found == all.end() ? nullptr : &*found;
}

std::vector<Uplink> uplinks(const std::vector<PciDevice>& all, const std::vector<std::string>& gpus) {
  std::vector<Uplink> found;
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    const PciDevice* below = find_pci(all, gpus[i]);
    const PciDevice* above = below == nullptr ? nullptr : find_pci(all, below->parent);
    for (std::size_t steps = 0; above != nullptr && steps < all.size(); ++steps) {
      const PciDevice* next = find_pci(all, above->parent);
      if (next == nullptr) break;
      below = above;
      above = next;
    }
    if (above == nullptr) continue;
    auto same = std::ranges::find(found, above->address, &Uplink::root_port);
    if (same == found.end()) same = found.insert(found.end(), {above->address, below->address, {}});
    same->gpus.push_back(i);
  }
  return found;
}

}  // namespace rackproof
