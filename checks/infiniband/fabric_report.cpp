#include "checks/infiniband/fabric_report.h"

#include <algorithm>
#include <utility>

namespace rackproof {
namespace {

constexpr std::size_t kMostNodes = 10'000;
constexpr std::size_t kMostFindings = 500;
// Of one counter, on how many cables it is measured: the highest, so a limit that they hold is held by all.
constexpr std::size_t kMostCounting = 200;
constexpr double kSameSpeed = 0.99;  // rates are printed with few decimals

const char* metric_of(FabricDifference finding) {
  switch (finding) {
    case FabricDifference::missing: return "links_missing";
    case FabricDifference::moved: return "links_moved";
    case FabricDifference::crossed: return "links_crossed";
    case FabricDifference::unexpected: return "links_unexpected";
    case FabricDifference::narrower: return "links_narrower";
    case FabricDifference::slower: return "links_slower";
  }
  return "";
}

constexpr FabricDifference kDifferences[] = {
    FabricDifference::missing,    FabricDifference::moved,    FabricDifference::crossed,
    FabricDifference::unexpected, FabricDifference::narrower, FabricDifference::slower,
};

const char* kind_name(FabricKind kind) {
  switch (kind) {
    case FabricKind::adapter: return "hca";
    case FabricKind::fabric_switch: return "switch";
    case FabricKind::router: return "router";
  }
  return "";
}

}  // namespace

FabricReport::FabricReport(Context& context, const FabricEvidence& evidence, const FabricNames& names)
    : context_(context), evidence_(evidence), fabric_(evidence.fabric), names_(names) {
  for (const FabricLink& link : fabric_.links) {
    link_at_[link.a] = &link;
    link_at_[link.b] = &link;
  }
}

void FabricReport::tell() {
  tell_nodes();
  tell_links();
  tell_findings();
  tell_counters();
}

void FabricReport::tell_nodes() {
  Device whole{.id = kFabric, .kind = "fabric", .name = "InfiniBand fabric", .parent = {}, .facts = {}};
  if (fabric_.seen_from) whole.facts.emplace_back("seen_from", names_.node(fabric_.seen_from->node));
  context_.device(whole);
  std::int64_t switches = 0;
  std::int64_t adapters = 0;
  std::size_t told = 0;
  for (const auto& [guid, node] : fabric_.nodes) {
    if (node.kind == FabricKind::fabric_switch) ++switches;
    if (node.kind == FabricKind::adapter) ++adapters;
    if (++told > kMostNodes) continue;
    Device device{.id = names_.node_id(guid), .kind = kind_name(node.kind), .name = node.name, .parent = kFabric,
                  .facts = {{"node_guid", guid_text(guid)}, {"ports", node.ports}}};
    if (!node.system_guid.empty()) device.facts.emplace_back("system_guid", node.system_guid);
    if (!node.vendor_id.empty()) device.facts.emplace_back("vendor_id", node.vendor_id);
    if (!node.device_id.empty()) device.facts.emplace_back("device_id", node.device_id);
    if (node.lid > 0) device.facts.emplace_back("lid", node.lid);
    context_.device(device);
  }
  if (told > kMostNodes) {
    context_.note("the fabric has " + std::to_string(told) + " nodes, of which " + std::to_string(kMostNodes) + " are told");
  }
  context_.measure("switches", kFabric, static_cast<double>(switches));
  context_.measure("adapters", kFabric, static_cast<double>(adapters));
  context_.measure("links", kFabric, static_cast<double>(fabric_.links.size()));
}

bool FabricReport::is_below_capable(const FabricLink& link) const {
  const LinkRate rate = fabric_.rate_of(link);
  const LinkRate capable = fabric_.capable_of(link);
  return (rate.lanes && capable.lanes && *rate.lanes < *capable.lanes) ||
         (rate.lane_gbits && capable.lane_gbits && *rate.lane_gbits < kSameSpeed * *capable.lane_gbits);
}

// Of links that the cabling tells differently.
std::set<FabricEnd> FabricReport::noteworthy_ends() const {
  std::set<FabricEnd> ends;
  if (!evidence_.findings) return ends;
  for (const FabricFinding& finding : *evidence_.findings) ends.insert({finding.a, finding.b});
  return ends;
}

void FabricReport::tell_links() {
  const bool is_brief = fabric_.links.size() > kMostDetailed;
  const std::set<FabricEnd> noteworthy = noteworthy_ends();
  std::int64_t below = 0;
  std::size_t told = 0;
  std::vector<const FabricLink*> rest;
  for (const FabricLink& link : fabric_.links) {
    const bool is_below = is_below_capable(link);
    if (is_below) ++below;
    const bool is_told = !is_brief || is_below || noteworthy.contains(link.a) || noteworthy.contains(link.b);
    if (is_told && told < kMostDetailed) {
      ++told;
      tell_link(link);
    } else {
      rest.push_back(&link);
    }
  }
  tell_rest(rest);
  context_.measure("links_below_capable", kFabric, static_cast<double>(below));
}

void FabricReport::tell_port(const FabricEnd& end) {
  const std::string id = names_.port_id(end);
  if (!told_.insert(id).second) return;
  Device device{.id = id, .kind = "port", .name = names_.end(end), .parent = names_.node_id(end.node), .facts = {}};
  if (const auto said = fabric_.ports.find(end); said != fabric_.ports.end()) {
    device.facts = {{"state", said->second.state}, {"physical_state", said->second.physical}};
  }
  const auto& reading = evidence_.after ? evidence_.after : evidence_.before;
  if (const auto counted = reading ? reading->ports.find(end) : decltype(reading->ports.end()){};
      reading && counted != reading->ports.end()) {
    for (std::size_t at = 0; at < counted->second.size(); ++at) {
      if (counted->second[at] != 0) device.facts.emplace_back(fabric_counters()[at].total, counted->second[at]);
    }
  }
  context_.device(device);
}

void FabricReport::tell_link(const FabricLink& link) {
  const std::string id = names_.cable_id(link.a, link.b);
  if (!told_.insert(id).second) return;
  tell_port(link.a);
  tell_port(link.b);
  const LinkRate rate = fabric_.rate_of(link);
  const LinkRate capable = fabric_.capable_of(link);
  context_.device({.id = id, .kind = "cable", .name = names_.cable_name(link.a, link.b), .parent = kFabric, .facts = {}});
  Link path{.from = names_.port_id(link.a), .to = names_.port_id(link.b), .kind = "ib", .facts = {{"cable", id}}};
  if (rate.lanes) path.facts.emplace_back("width_lanes", static_cast<std::int64_t>(*rate.lanes));
  if (rate.lane_gbits) path.facts.emplace_back("speed_gbits", *rate.lane_gbits);
  if (const auto gbs = bandwidth_gbs(rate)) path.facts.emplace_back("bandwidth_gbs", *gbs);
  context_.link(path);
  if (rate.lanes) context_.measure("width", id, *rate.lanes);
  if (capable.lanes) context_.measure("width_capable", id, *capable.lanes);
  if (rate.lane_gbits) context_.measure("speed", id, *rate.lane_gbits);
  if (capable.lane_gbits) context_.measure("speed_capable", id, *capable.lane_gbits);
}

// The lowest figures of links that have nothing else to say: each of them runs as its two ends can.
void FabricReport::tell_rest(const std::vector<const FabricLink*>& rest) {
  if (rest.empty()) return;
  LinkRate lowest;
  LinkRate capable;
  for (const FabricLink* link : rest) {
    const LinkRate rate = fabric_.rate_of(*link);
    const LinkRate best = fabric_.capable_of(*link);
    if (rate.lanes && (!lowest.lanes || *rate.lanes < *lowest.lanes)) {
      lowest.lanes = rate.lanes;
      capable.lanes = best.lanes;
    }
    if (rate.lane_gbits && (!lowest.lane_gbits || *rate.lane_gbits < *lowest.lane_gbits)) {
      lowest.lane_gbits = rate.lane_gbits;
      capable.lane_gbits = best.lane_gbits;
    }
  }
  if (lowest.lanes) context_.measure("width", kFabric, *lowest.lanes);
  if (capable.lanes) context_.measure("width_capable", kFabric, *capable.lanes);
  if (lowest.lane_gbits) context_.measure("speed", kFabric, *lowest.lane_gbits);
  if (capable.lane_gbits) context_.measure("speed_capable", kFabric, *capable.lane_gbits);
  context_.note("the fabric has " + std::to_string(fabric_.links.size()) + " links; of " + std::to_string(rest.size()) +
                " the lowest width and speed are told and no more");
}

void FabricReport::tell_findings() {
  if (!evidence_.findings) return;
  std::map<FabricDifference, std::int64_t> counts;
  for (const FabricFinding& finding : *evidence_.findings) ++counts[finding.kind];
  std::size_t told = 0;
  for (const FabricFinding& finding : *evidence_.findings) {
    if (++told > kMostFindings) break;
    const std::string id = names_.cable_id(finding.a, finding.b);
    if (told_.insert(id).second) {
      context_.device({.id = id, .kind = "cable", .name = names_.cable_name(finding.a, finding.b), .parent = kFabric,
                       .facts = {}});
    }
    context_.measure(metric_of(finding.kind), id, 1);
    context_.note(finding.text);
  }
  for (const FabricDifference kind : kDifferences)
    context_.measure(metric_of(kind), kFabric, static_cast<double>(counts[kind]));
  if (evidence_.findings->size() > kMostFindings) {
    context_.note("and " + std::to_string(evidence_.findings->size() - kMostFindings) + " findings more");
  }
}

// The device on which an end's counters are measured, told if it was not: its cable, or itself where it has none.
std::string FabricReport::place_of(const FabricEnd& end) {
  const auto link = link_at_.find(end);
  if (link != link_at_.end()) {
    tell_link(*link->second);
    return names_.cable_id(link->second->a, link->second->b);
  }
  tell_port(end);
  return names_.port_id(end);
}

void FabricReport::tell_counters() {
  if (!evidence_.before) return;
  const std::int64_t unread = evidence_.before->unread + (evidence_.after ? evidence_.after->unread : 0);
  context_.measure("counters_unread", kFabric, static_cast<double>(unread));
  const auto counters = fabric_counters();
  std::vector<std::size_t> uncorrected;
  for (std::size_t at = 0; at < counters.size(); ++at) {
    if (std::ranges::find(uncorrected_counters(), std::string_view(counters[at].metric)) != uncorrected_counters().end()) {
      uncorrected.push_back(at);
    }
  }
  if (evidence_.after) {
    tell_counter("errors", uncorrected, false);
    for (std::size_t at = 0; at < counters.size(); ++at) tell_counter(counters[at].metric, {at}, false);
    note_rises();
  }
  for (std::size_t at = 0; at < counters.size(); ++at) tell_counter(counters[at].total, {at}, true);
}

// On each cable where it is not 0, and once on the whole fabric where it is 0 everywhere.
void FabricReport::tell_counter(const std::string& metric, const std::vector<std::size_t>& counters, bool is_total) {
  const CounterReading nothing;
  const CounterReading& before = is_total ? nothing : *evidence_.before;
  const CounterReading& after = evidence_.after ? *evidence_.after : *evidence_.before;
  std::set<FabricEnd> ends;
  for (const auto& [end, values] : before.ports) ends.insert(end);
  for (const auto& [end, values] : after.ports) ends.insert(end);

  std::map<FabricEnd, std::int64_t> counted;  // by the first end of the cable
  std::set<FabricEnd> unknown;
  for (const FabricEnd& end : ends) {
    const auto link = link_at_.find(end);
    const FabricEnd place = link == link_at_.end() ? end : link->second->a;
    for (const std::size_t counter : counters) {
      const auto risen = rise(before, after, end, counter);
      if (!risen) unknown.insert(place);
      counted[place] += risen.value_or(0);
    }
  }
  for (const FabricEnd& place : unknown) {
    counted.erase(place);
    if (counters.size() == 1) {
      context_.note(metric + " of " + place_of(place) + " is not measured: the counter was full, or was set back meanwhile");
    }
  }
  std::erase_if(counted, [](const auto& each) { return each.second == 0; });
  std::vector<std::pair<FabricEnd, std::int64_t>> highest(counted.begin(), counted.end());
  std::ranges::stable_sort(highest, std::ranges::greater{}, &std::pair<FabricEnd, std::int64_t>::second);
  if (highest.size() > kMostCounting) {
    context_.note(std::to_string(highest.size()) + " links have " + metric + "; the " + std::to_string(kMostCounting) +
                  " highest are measured");
    highest.resize(kMostCounting);
  }
  for (const auto& [end, value] : highest) context_.measure(metric, place_of(end), static_cast<double>(value));
  if (highest.empty() && unknown.empty()) context_.measure(metric, kFabric, 0);
}

// Which of the two ends counted, since a cable errs towards one side or towards both.
void FabricReport::note_rises() {
  std::size_t told = 0;
  for (const auto& [end, values] : evidence_.after->ports) {
    std::string text;
    for (std::size_t at = 0; at < values.size(); ++at) {
      const std::int64_t risen = rise(*evidence_.before, *evidence_.after, end, at).value_or(0);
      if (risen == 0) continue;
      text += std::string(text.empty() ? "" : ", ") + fabric_counters()[at].metric + " " + std::to_string(risen);
    }
    if (text.empty()) continue;
    if (++told > kMostFindings) return;
    const auto link = link_at_.find(end);
    const std::string far =
        link == link_at_.end() ? "" : " (to " + names_.end(link->second->a == end ? link->second->b : link->second->a) + ")";
    context_.note("counted at " + names_.end(end) + far + ": " + text);
  }
}

}  // namespace rackproof
