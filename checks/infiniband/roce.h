// What /sys says of the Ethernet side of a RoCE port: its network interface, and how congestion is signalled.
#pragma once

#include <string>

#include "checks/api/report.h"
#include "checks/infiniband/adapter_port.h"

namespace rackproof {

// Name of the network interface ("eth2"); empty when the port has none, or it cannot be told which it is.
std::string netdev_of(const SysRoot&, const AdapterPort&);

// Priorities on which ECN is answered and reacted to, and which mark of a packet decides on its priority. NVIDIA's own
// driver alone has these files; PFC itself is told over netlink only.
Facts congestion_settings(const SysRoot&, const std::string& netdev);

}  // namespace rackproof
