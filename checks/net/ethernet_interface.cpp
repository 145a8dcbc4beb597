#include "checks/net/ethernet_interface.h"

#include "checks/api/pci.h"

namespace rackproof {
namespace {

constexpr std::int64_t kEthernet = 1;                 // ARPHRD_ETHER, include/uapi/linux/if_arp.h
constexpr std::int64_t kInfinibandController = 0x0207;  // PCI base class and subclass

bool is_ethernet(const SysRoot& root, const EthernetInterface& interface) {
  const std::string folder = interface.folder();
  if (root.exists(folder + "/wireless") || root.exists(folder + "/phy80211")) return false;
  if (const auto type = root.integer(folder + "/type")) return *type == kEthernet;
  // Captured trees often lack the file.
  const auto device_class = interface.pci.empty() ? std::nullopt : root.integer(pci_attribute(interface.pci, "class"));
  return !device_class || *device_class >> 8 != kInfinibandController;
}

template <class Number>
void keep_less(std::optional<Number>& kept, const std::optional<Number>& now) {
  if (now && (!kept || *now < *kept)) kept = now;
}

}  // namespace

std::vector<EthernetInterface> ethernet_interfaces(const SysRoot& root) {
  std::vector<EthernetInterface> found;
  for (const std::string& name : root.list("/sys/class/net")) {
    EthernetInterface interface{.name = name, .pci = {}};
    if (!root.exists(interface.folder() + "/device")) continue;
    interface.pci = last_pci_address(root.link_target(interface.folder()).value_or(""));
    if (is_ethernet(root, interface)) found.push_back(std::move(interface));
  }
  return found;
}

InterfaceLook look_at_interface(const SysRoot& root, const EthernetInterface& interface) {
  InterfaceLook look;
  look.carrier = root.integer(interface.folder() + "/carrier");
  const auto mbits = root.integer(interface.folder() + "/speed");
  if (mbits && *mbits > 0) look.gbits = static_cast<double>(*mbits) / 1000;
  const auto duplex = root.text(interface.folder() + "/duplex");
  if (duplex == "full") look.directions = 2;
  if (duplex == "half") look.directions = 1;
  return look;
}

void InterfaceWatch::look(const InterfaceLook& now) {
  keep_less(worst_.carrier, now.carrier);
  keep_less(worst_.gbits, now.gbits);
  keep_less(worst_.directions, now.directions);
}

}  // namespace rackproof
