// The Ethernet interfaces that are hardware, and what the kernel says of one at one moment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/sysroot.h"

namespace rackproof {

struct EthernetInterface {
  std::string name;  // "eth0"
  std::string pci;   // address; empty where it is not on PCI

  std::string id() const { return "net:" + name; }
  std::string folder() const { return "/sys/class/net/" + name; }
};

// Without those that software makes (loopback, bridges, bonds, VLANs, tunnels), without Wi-Fi, and without the IP
// interfaces of InfiniBand adapters.
std::vector<EthernetInterface> ethernet_interfaces(const SysRoot&);

// nullopt: the kernel does not say. Without a link it refuses to tell speed and duplex; drivers of virtual machines say
// -1 and "unknown".
struct InterfaceLook {
  std::optional<std::int64_t> carrier;  // 1: there is a link
  std::optional<double> gbits;          // Gb/s
  std::optional<int> directions;        // at once: 1 half duplex, 2 full
};
InterfaceLook look_at_interface(const SysRoot&, const EthernetInterface&);

// Many looks: the worst of each.
class InterfaceWatch {
 public:
  void look(const InterfaceLook&);
  const InterfaceLook& worst() const { return worst_; }

 private:
  InterfaceLook worst_;
};

}  // namespace rackproof
