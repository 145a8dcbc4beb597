// The ports of InfiniBand and RoCE adapters, and what the kernel says of one at one moment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/sysroot.h"

namespace rackproof {

struct AdapterPort {
  std::string adapter;  // "mlx5_0"
  std::string number;   // "1"
  std::string pci;      // address; empty for an adapter that is not on PCI (made by software)

  std::string id() const { return "ib:" + adapter + "/" + number; }
  std::string adapter_folder() const { return "/sys/class/infiniband/" + adapter; }
  std::string folder() const { return adapter_folder() + "/ports/" + number; }
};

std::vector<AdapterPort> adapter_ports(const SysRoot&);

// The kernel writes both the number of the InfiniBand specification and its name: "4: ACTIVE", "5: LinkUp".
struct PortState {
  std::int64_t number = 0;
  std::string name;
  bool operator==(const PortState&) const = default;
};
std::optional<PortState> parse_port_state(std::string_view text);

// "400 Gb/sec (4X NDR)"; "10 Gb/sec (4X)" on older kernels.
struct PortRate {
  double gbits = 0;  // Gb/s
  std::int64_t lanes = 0;
  std::string generation;  // "NDR"; empty: not said
  bool operator==(const PortRate&) const = default;
};
std::optional<PortRate> parse_port_rate(std::string_view text);

constexpr std::int64_t kActive = 4;  // logical state
constexpr std::int64_t kLinkUp = 5;  // physical state

struct PortLook {
  std::optional<PortState> state;
  std::optional<PortState> physical;
  std::optional<PortRate> rate;

  // Whether its rate means anything: of a port without a link the kernel says the rate of a single slow lane.
  bool has_link() const;
};
PortLook look_at_port(const SysRoot&, const AdapterPort&);

}  // namespace rackproof
