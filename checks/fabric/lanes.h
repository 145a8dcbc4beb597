// What UCX says of an endpoint and a context, read from the text that it prints: version 1.13 has no call for that.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checks/api/report.h"

namespace rackproof {

// A transport on a device: "rc_mlx5" on "mlx5_0:1", "tcp" on "eth0", "cma" on "memory".
struct Lane {
  std::string transport;
  std::string device;
  std::string roles;  // as UCX prints them, between blanks: "rma_bw#0 am am_bw#0"; none for a context's resource
  bool operator==(const Lane&) const = default;
};

// From ucp_ep_print_info().
std::vector<Lane> parse_lanes(std::string_view endpoint);
// The transports and devices that a context may use, from ucp_context_print_info().
std::vector<Lane> parse_resources(std::string_view context);

enum class LaneUse { large, one_sided, small };
// The lanes over which large messages go, or puts and gets, or small messages. Puts and gets have lanes of their own
// where a transport knows how; elsewhere they are made of active messages, and the text does not always tell which:
// then both are named.
std::vector<Lane> lanes_for(LaneUse, const std::vector<Lane>&);

bool is_rdma(std::string_view transport);
// None is left out: one lane over TCP beside three over RDMA makes it false. False for no lanes.
bool all_rdma(const std::vector<Lane>&);

// "rc_mlx5/mlx5_0:1, rc_mlx5/mlx5_1:1", each once.
std::string to_text(const std::vector<Lane>&);

// Id of the device that a lane leaves through: "ib:mlx5_0/1", "net:eth0"; empty for memory.
std::string device_id(const Lane&);

// Devices that can be measured one by one as rails: all ports of RDMA adapters, or else all network interfaces that are
// not the loopback.
std::vector<std::string> rails_of(const std::vector<Lane>& resources);

}  // namespace rackproof
