#include "checks/infiniband/fabric_model.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "checks/infiniband/fabric_text.h"

namespace rackproof {
namespace {

struct Generation {
  std::string_view name;
  double lane_gbits;
  double data_gbits;
};

// Signalling rates of the InfiniBand specification, in the decimals that infiniband-diags prints, and what is left of them
// after line encoding (8b/10b up to QDR, then 64b/66b; from HDR on the error correction's share is taken off as well).
constexpr Generation kGenerations[] = {
    {"SDR", 2.5, 2},       {"DDR", 5, 4},          {"QDR", 10, 8},    {"FDR10", 10.3125, 10}, {"FDR", 14.0625, 13.6364},
    {"EDR", 25.78125, 25}, {"HDR", 53.125, 50}, {"NDR", 106.25, 100}, {"XDR", 212.5, 200}};
constexpr int kMostLanes = 12;

}  // namespace

std::optional<std::uint64_t> Fabric::owner_of(std::uint64_t guid) const {
  if (nodes.contains(guid)) return guid;
  const auto owner = owners.find(guid);
  if (owner == owners.end() || !nodes.contains(owner->second)) return std::nullopt;
  return owner->second;
}

LinkRate Fabric::rate_of(const FabricLink& link) const {
  LinkRate rate = link.rate;
  for (const FabricEnd& end : {link.b, link.a}) {
    const auto said = ports.find(end);
    if (said == ports.end()) continue;
    if (said->second.rate.lanes) rate.lanes = said->second.rate.lanes;
    if (said->second.rate.lane_gbits) rate.lane_gbits = said->second.rate.lane_gbits;
  }
  return rate;
}

LinkRate Fabric::capable_of(const FabricLink& link) const {
  LinkRate capable;
  for (const FabricEnd& end : {link.b, link.a}) {
    const auto said = ports.find(end);
    if (said == ports.end()) continue;
    if (said->second.capable.lanes) capable.lanes = said->second.capable.lanes;
    if (said->second.capable.lane_gbits) capable.lane_gbits = said->second.capable.lane_gbits;
  }
  return capable;
}

bool Fabric::is_internal(const FabricLink& link) const {
  const auto a = nodes.find(link.a.node);
  const auto b = nodes.find(link.b.node);
  return a != b && a != nodes.end() && b != nodes.end() && !a->second.system_guid.empty() &&
         a->second.system_guid == b->second.system_guid && guid_in(a->second.system_guid).has_value();
}

void Fabric::order_ends(FabricLink& link) const {
  const auto a = nodes.find(link.a.node);
  const auto b = nodes.find(link.b.node);
  if (a == nodes.end() || b == nodes.end()) return;
  const auto order = [](const FabricNode& node, const FabricEnd& end) { return std::tie(node.kind, node.name, end); };
  if (order(b->second, link.b) < order(a->second, link.a)) std::swap(link.a, link.b);
}

std::optional<double> lane_gbits_of(std::string_view generation) {
  const auto* found = std::ranges::find(kGenerations, generation, &Generation::name);
  if (found == std::end(kGenerations)) return std::nullopt;
  return found->lane_gbits;
}

std::optional<double> bandwidth_gbs(const LinkRate& rate) {
  if (!rate.lanes || !rate.lane_gbits) return std::nullopt;
  const auto* found = std::ranges::find(kGenerations, *rate.lane_gbits, &Generation::lane_gbits);
  if (found == std::end(kGenerations)) return std::nullopt;
  return *rate.lanes * found->data_gbits / 8;
}

std::optional<int> lanes_of(std::string_view width) {
  if (width.size() < 2 || (width.back() != 'x' && width.back() != 'X')) return std::nullopt;
  const auto lanes = number_in<int>(width.substr(0, width.size() - 1));
  if (!lanes || *lanes < 1 || *lanes > kMostLanes) return std::nullopt;
  return lanes;
}

std::optional<LinkRate> parse_link_rate(std::string_view text) {
  if (const auto gbits = lane_gbits_of(text)) return LinkRate{{}, gbits};
  const std::size_t x = text.find_first_of("xX");
  if (x == text.npos) return std::nullopt;
  const auto lanes = lanes_of(text.substr(0, x + 1));
  if (!lanes) return std::nullopt;
  const std::string_view generation = text.substr(x + 1);
  if (generation.empty()) return LinkRate{lanes, {}};
  const auto gbits = lane_gbits_of(generation);
  if (!gbits) return std::nullopt;
  return LinkRate{lanes, gbits};
}

}  // namespace rackproof
