// An InfiniBand fabric as one look at it shows it: nodes by their GUID, and the links between their ports.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rackproof {

enum class FabricKind { adapter, fabric_switch, router };  // in this order from the CPU

struct FabricNode {
  FabricKind kind = FabricKind::adapter;
  std::string name;  // its node description: "leaf01", "node07 mlx5_0"; empty when it says none
  std::int64_t ports = 0;
  std::string vendor_id;
  std::string device_id;
  std::string system_guid;
  std::int64_t lid = 0;  // of a switch
};

struct FabricEnd {
  std::uint64_t node = 0;  // GUID of the node, not of the port
  int port = 0;
  auto operator<=>(const FabricEnd&) const = default;
};

// Lanes, and the signalling rate of one of them in Gb/s (106.25 for NDR); absent where it is not said.
struct LinkRate {
  std::optional<int> lanes;
  std::optional<double> lane_gbits;
  bool operator==(const LinkRate&) const = default;
};

struct FabricLink {
  FabricEnd a;  // nearer to a CPU; of two alike, the one with the smaller name
  FabricEnd b;
  LinkRate rate;
};

// What a port says of itself, with or without a link.
struct PortSaid {
  std::string state;     // "Active", "Down"
  std::string physical;  // "LinkUp", "Polling", "Disabled"
  LinkRate rate;
  LinkRate capable;  // what both ends of its link could do; absent where it does not say
};

struct Fabric {
  std::map<std::uint64_t, FabricNode> nodes;
  std::map<std::uint64_t, std::uint64_t> owners;  // GUIDs of ports → of their nodes
  std::vector<FabricLink> links;
  std::map<FabricEnd, PortSaid> ports;
  std::optional<FabricEnd> seen_from;

  // The node that has this GUID or a port with it.
  std::optional<std::uint64_t> owner_of(std::uint64_t guid) const;
  // Of both ends, as the ports tell it; of the topology, where they do not.
  LinkRate rate_of(const FabricLink&) const;
  LinkRate capable_of(const FabricLink&) const;
  // Between two nodes of one device, as in a director switch, or the aggregation node (SHARP) of a switch: no cable.
  bool is_internal(const FabricLink&) const;
  // Puts the end that is nearer to a CPU first; a link with an end at an unknown node stays as it is.
  void order_ends(FabricLink&) const;
};

// Gb/s of one lane by the name of a generation ("NDR"); nullopt for an unknown one.
std::optional<double> lane_gbits_of(std::string_view generation);
// What a link carries in each direction, after line encoding, in GB/s; nullopt where its rate is not a known one.
std::optional<double> bandwidth_gbs(const LinkRate&);
// Lanes of a width: "4X" or "4x".
std::optional<int> lanes_of(std::string_view width);
// "4xNDR", "4x" or "NDR"; nullopt when it is none of these.
std::optional<LinkRate> parse_link_rate(std::string_view text);

}  // namespace rackproof
