// Network interfaces and InfiniBand ports that belong to hardware, and the PCI device each is on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/report.h"
#include "checks/api/sysroot.h"

namespace rackproof {

struct NetDevice {
  std::string name;  // "eth0"
  std::string pci;   // address; empty where it is not on PCI

  std::string folder() const { return "/sys/class/net/" + name; }
};

// Without those that software makes: loopback, bridges, bonds, VLANs, tunnels.
std::vector<NetDevice> net_devices(const SysRoot&);

struct IbPort {
  std::string adapter;  // "mlx5_0"
  std::string number;   // "1"
  std::string pci;

  std::string folder() const { return "/sys/class/infiniband/" + adapter + "/ports/" + number; }
};

std::vector<IbPort> ib_ports(const SysRoot&);

// Logical CPUs in the order of their numbers, with the package each sits in.
struct Cpu {
  std::string folder;         // "/sys/devices/system/cpu/cpu0"
  std::int64_t package = -1;  // -1: the machine does not say
};
std::vector<Cpu> cpus(const SysRoot&);

// The devices as they are reported, without facts.
Device to_device(const NetDevice&);
Device to_device(const IbPort&);
Device package_device(std::int64_t package);  // -1: the machine

}  // namespace rackproof
