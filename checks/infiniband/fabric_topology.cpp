#include "checks/infiniband/fabric_topology.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "checks/infiniband/fabric_text.h"

namespace rackproof {
namespace {

// "S-0002c90300a1b2c0": a node by its kind and GUID.
std::optional<std::uint64_t> node_id(std::string_view text) {
  if (text.size() < 3 || text[1] != '-') return std::nullopt;
  return guid_in(text.substr(2));
}

std::optional<FabricKind> kind_of(std::string_view word) {
  if (word == "Switch") return FabricKind::fabric_switch;
  if (word == "Ca") return FabricKind::adapter;
  if (word == "Rt") return FabricKind::router;
  return std::nullopt;
}

std::string quoted_in(std::string_view text) {
  const std::size_t first = text.find('"');
  const std::size_t last = text.rfind('"');
  if (first == text.npos || last == first) return {};
  return std::string(trimmed(text.substr(first + 1, last - first - 1)));
}

class Topology {
 public:
  void read(std::string_view line) {
    if (line.starts_with("[")) return read_port(line);
    if (line.starts_with("#")) return read_comment(line);
    const std::size_t equals = line.find('=');
    if (equals != line.npos && line.find('"') == line.npos) {
      const std::string value(trimmed(line.substr(equals + 1)));
      const std::string_view name = line.substr(0, equals);
      if (name == "vendid") next_ = FabricNode{.name = {}, .vendor_id = value, .device_id = {}, .system_guid = {}};
      if (name == "devid") next_.device_id = value;
      if (name == "sysimgguid") next_.system_guid = value;
      if (name == "switchguid") read_switch_guids(value);
      return;
    }
    read_node(line);
  }

  Fabric finish() &&;

 private:
  void read_comment(std::string_view line);
  void read_switch_guids(std::string_view value);
  void read_node(std::string_view line);
  void read_port(std::string_view line);

  Fabric fabric_;
  FabricNode next_;
  std::optional<std::uint64_t> current_;
  std::map<std::pair<FabricEnd, FabricEnd>, LinkRate> links_;
};

void Topology::read_comment(std::string_view line) {
  const auto node = between(line, "Initiated from node ", " port ");
  if (!node) return;
  const auto guid = guid_in(*node);
  if (guid) fabric_.seen_from = FabricEnd{*guid, 0};
}

// "0x2c902004048f0(2c902004048f0)": of the node, and of its port 0, by which the other programs call it.
void Topology::read_switch_guids(std::string_view value) {
  const auto node = guid_in(value.substr(0, value.find('(')));
  const auto port = between(value, "(", ")");
  const auto guid = port ? guid_in(*port) : std::nullopt;
  if (node && guid) fabric_.owners[*guid] = *node;
}

// Switch  36 "S-0002c902004048f0"    # "leaf01" enhanced port 0 lid 6 lmc 0
void Topology::read_node(std::string_view line) {
  const auto words = words_of(line);
  const auto kind = words.empty() ? std::nullopt : kind_of(words[0]);
  if (!kind) return;
  current_.reset();
  const auto id = between(line, "\"", "\"");
  const auto guid = id ? node_id(*id) : std::nullopt;
  const auto ports = words.size() > 1 ? number_in<std::int64_t>(words[1]) : std::nullopt;
  if (!guid || !ports) return;
  current_ = guid;
  next_.kind = *kind;
  next_.ports = *ports;
  const std::size_t comment = line.find('#');
  if (comment != line.npos) {
    next_.name = quoted_in(line.substr(comment));
    if (const std::size_t lid = line.rfind(" lid "); lid != line.npos && lid > line.rfind('"')) {
      const auto after = words_of(line.substr(lid + 5));
      if (!after.empty()) next_.lid = number_in<std::int64_t>(after[0]).value_or(0);
    }
  }
  fabric_.nodes[*guid] = std::exchange(next_, {});
}

// [1](10001f)  "S-0002c902004048f0"[4]    # lid 22 lmc 0 "leaf04" lid 6 4xQDR
// [1]          "H-0002c90300a1b2c0"[1](10001f)    # "node16 mlx5_0" lid 22 4xQDR
// [1][ext 7]   …
void Topology::read_port(std::string_view line) {
  const auto own = between(line, "[", "]");
  const auto port = own ? number_in<int>(*own) : std::nullopt;
  const std::size_t quote = line.find('"');
  if (!current_ || !port || quote == line.npos) return;
  if (const auto guid = between(line.substr(0, quote), "(", ")")) {
    if (const auto number = guid_in(*guid)) fabric_.owners[*number] = *current_;
  }
  const std::size_t end = line.find('"', quote + 1);
  if (end == line.npos) return;
  const auto peer = node_id(line.substr(quote + 1, end - quote - 1));
  const std::string_view rest = line.substr(end + 1);
  const auto peer_port_text = between(rest, "[", "]");
  const auto peer_port = peer_port_text ? number_in<int>(*peer_port_text) : std::nullopt;
  if (!peer || !peer_port) return;
  LinkRate rate;
  const std::size_t last_quote = line.rfind('"');
  for (const std::string_view word : words_of(line.substr(last_quote + 1))) {
    if (!word.starts_with('[') && parse_link_rate(word)) rate = *parse_link_rate(word);
  }
  const FabricEnd a{*current_, *port};
  const FabricEnd b{*peer, *peer_port};
  links_.emplace(std::pair{std::min(a, b), std::max(a, b)}, rate);
}

Fabric Topology::finish() && {
  std::set<FabricEnd> taken;
  for (const auto& [ends, rate] : links_) {
    const auto& [a, b] = ends;
    if (!fabric_.nodes.contains(a.node) || !fabric_.nodes.contains(b.node)) continue;
    // A link that was replugged during the discovery may be told twice, with another far end each time.
    if (taken.contains(a) || taken.contains(b)) continue;
    taken.insert({a, b});
    FabricLink link{a, b, rate};
    fabric_.order_ends(link);
    fabric_.links.push_back(link);
  }
  std::ranges::sort(fabric_.links, {}, [&](const FabricLink& link) {
    const FabricNode& node = fabric_.nodes.at(link.a.node);
    return std::tuple(node.kind, node.name, link.a);
  });
  return std::move(fabric_);
}

// "4X  106.25 Gbps Active/  LinkUp", "4X 10.0 Gbps (FDR10) Active/  LinkUp", or "Down/ Polling".
PortSaid port_said(std::string_view text) {
  PortSaid said;
  const std::size_t slash = text.rfind('/');
  if (slash == text.npos) return said;
  said.physical = trimmed(text.substr(slash + 1));
  const auto words = words_of(text.substr(0, slash));
  if (!words.empty()) said.state = words.back();
  for (std::size_t at = 0; at + 1 < words.size(); ++at) {
    if (const auto lanes = lanes_of(words[at])) said.rate.lanes = lanes;
    if (words[at] == "(FDR10)") said.rate.lane_gbits = lane_gbits_of("FDR10");
    if (words[at + 1] == "Gbps") said.rate.lane_gbits = number_in<double>(words[at]);
  }
  return said;
}

// "(Could be 12X Could be 14.0625 Gbps)", "( Could be FDR10 (Found link at QDR …))": what the link falls short of; what is
// not said there is as it should be.
LinkRate capable(std::string_view text, const LinkRate& rate) {
  LinkRate best = rate;
  constexpr std::string_view kCouldBe = "Could be ";
  for (std::size_t at = text.find(kCouldBe); at != text.npos; at = text.find(kCouldBe)) {
    text.remove_prefix(at + kCouldBe.size());
    const auto words = split(text, " )\t");
    if (words.empty()) break;
    if (const auto lanes = lanes_of(words[0])) best.lanes = lanes;
    if (const auto gbits = number_in<double>(words[0])) best.lane_gbits = gbits;
    if (const auto gbits = lane_gbits_of(words[0])) best.lane_gbits = gbits;
  }
  return best;
}

// 0x… "  leaf01"  2    1[  ] ==( 4X  10.0 Gbps Active/  LinkUp)==>  0x…  1    1[  ] "node01" (Could be 12X )
void add_port_state(Fabric& fabric, std::string_view line) {
  const std::size_t arrow = line.find("==(");
  const std::size_t head = line.find(")==>");
  if (arrow == line.npos || head == line.npos || head < arrow) return;
  const std::string_view near = line.substr(0, arrow);
  const auto guid_text = words_of(near);
  const auto guid = guid_text.empty() ? std::nullopt : guid_in(guid_text[0]);
  const auto owner = guid ? fabric.owner_of(*guid) : std::nullopt;
  const std::size_t bracket = near.rfind('[');
  if (!owner || bracket == near.npos) return;
  const auto numbers = words_of(near.substr(0, bracket));
  const auto port = number_in<int>(numbers.empty() ? "" : numbers.back());
  if (!port) return;
  PortSaid said = port_said(line.substr(arrow + 3, head - arrow - 3));
  const std::size_t quote = line.rfind('"');
  const std::size_t remark = quote == line.npos || quote < head ? line.npos : line.find('(', quote);
  if (remark != line.npos) said.capable = capable(line.substr(remark), said.rate);
  fabric.ports[{*owner, *port}] = said;
}

}  // namespace

bool is_topology(std::string_view text) {
  return std::ranges::any_of(lines_of(text), [](std::string_view line) {
    return line.starts_with("switchguid=") || line.starts_with("caguid=") || line.starts_with("rtguid=");
  });
}

Fabric parse_topology(std::string_view text) {
  Topology topology;
  for (const std::string_view line : lines_of(text)) topology.read(trimmed(line));
  return std::move(topology).finish();
}

void add_port_states(Fabric& fabric, std::string_view text) {
  for (const std::string_view line : lines_of(text)) add_port_state(fabric, line);
}

}  // namespace rackproof
