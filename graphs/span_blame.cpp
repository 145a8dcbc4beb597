#include "graphs/span_blame.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "checks/api/units.h"
#include "graphs/fleet_second_pass.h"

namespace rackproof {
namespace {

constexpr std::string_view kOneOfMany = "so many look bad that it may not be this node's own";
constexpr std::string_view kOneOfFew = "more nodes or steadier figures would tell";
constexpr std::string_view kOneOfTwo = "it may be the other's, or of what lies between them";
constexpr std::string_view kOneOfGroup = "it may be another's of that group";

// The share of nodes that one run may blame, as its first event says.
constexpr std::string_view kMaxBlamed = "max_blamed_percent";
constexpr double kDefaultMaxBlamed = 25;

double max_blamed(const Run& run) {
  for (const auto& [name, value] : run.about.facts) {
    if (name != kMaxBlamed) continue;
    if (const auto* number = std::get_if<double>(&value)) return *number / 100;
    if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number) / 100;
  }
  return kDefaultMaxBlamed / 100;
}

FleetBounds bounds_of(const Run& run, const Step& step, const Expectation& expectation) {
  FleetBounds bounds;
  bounds.max_blamed = max_blamed(run);
  const auto metric = std::ranges::find(step.metrics, expectation.limit.metric, &MetricDeclaration::name);
  bounds.higher_is_better = metric == step.metrics.end() || metric->better != "lower";
  const auto* fixed = std::get_if<FixedBound>(&expectation.limit.bound);
  if (expectation.limit.subject == Subject::shortfall && fixed != nullptr) bounds.least = fixed->value.base();
  return bounds;
}

std::vector<std::string> names_of(const SpanEvidence& evidence, const std::vector<std::size_t>& nodes) {
  std::vector<std::string> names;
  for (const std::size_t node : nodes) names.push_back(evidence.nodes[node].name);
  return names;
}

std::string shown(std::vector<std::string> names) {
  constexpr std::size_t kShown = 8;
  const std::size_t more = names.size() - std::min(names.size(), kShown);
  names.resize(names.size() - more);
  return fmt::format("{}{}", fmt::join(names, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

}  // namespace

bool is_compared(const Step& step, const std::string& metric) {
  const auto declared = std::ranges::find(step.metrics, metric, &MetricDeclaration::name);
  if (declared == step.metrics.end() || (declared->better != "higher" && declared->better != "lower")) return false;
  const Unit* unit = find_unit(declared->unit);
  return unit != nullptr && (unit->dimension == Dimension::time || unit->dimension == Dimension::byte_rate);
}

FleetFinding first_pass(const Run& run, const Step& step, const SpanEvidence& evidence, const Expectation& expectation) {
  return analyse(evidence.nodes, path_values(evidence, expectation.limit.metric, false), bounds_of(run, step, expectation));
}

FleetVerdict compare_fleet(const Run& run, const Step& step, const SpanEvidence& evidence,
                           const Expectation& expectation) {
  const FleetBounds bounds = bounds_of(run, step, expectation);
  FleetFinding finding = first_pass(run, step, evidence, expectation);
  const std::vector<PathValue> second = path_values(evidence, expectation.limit.metric, true);
  if (!second.empty()) finding.suspicions = confirmed(finding, evidence.nodes, second, bounds);
  return {capped(std::move(finding), evidence.nodes, bounds).suspicions,
          path_values(evidence, expectation.limit.metric, false).size()};
}

SpanBlame::SpanBlame(const Run& run, const SpanEvidence& evidence) : run_(run), evidence_(evidence) {
  for (const PathReading& reading : evidence_.paths) paths_[reading.measurement->device] = &reading;
  for (const SpanGroup& group : evidence_.groups) groups_[group.device] = &group;
}

bool SpanBlame::is_shared(const Miss& miss) const {
  return paths_.contains(miss.finding.device) || groups_.contains(miss.finding.device);
}

void SpanBlame::charge(std::size_t trial, Finding finding) { charged_[trial].push_back(std::move(finding)); }

void SpanBlame::charge(const Suspicion& suspicion, Finding finding) {
  switch (suspicion.part) {
    case Part::node:
    case Part::sends:
    case Part::receives:
    case Part::rail:
      for (const std::size_t node : suspicion.nodes) {
        if (suspicion.sure) {
          shared_[node].push_back(finding);
        } else {
          leave_open(node, finding, kOneOfFew);
        }
      }
      return;
    case Part::leaf:
      finding.device = "switch:" + (suspicion.names.empty() ? "" : suspicion.names.front());
      if (!suspicion.sure && finding.outcome == Outcome::fail) finding.outcome = Outcome::error;
      break;
    case Part::path:
    case Part::pair:
      if (suspicion.names.size() == 2) {
        finding.device = fmt::format("path:{}>{}{}{}", suspicion.names[0], suspicion.names[1],
                                     suspicion.rail.empty() ? "" : "/", suspicion.rail);
      }
      if (suspicion.part == Part::path) break;
      for (const std::size_t node : suspicion.nodes) leave_open(node, finding, kOneOfTwo);
      break;
    case Part::common:
      for (const std::size_t node : suspicion.nodes) leave_open(node, finding, kOneOfMany);
      break;
  }
  charge(evidence_.fabric, std::move(finding));
}

void SpanBlame::lay(std::vector<Miss> misses, const std::vector<Suspicion>& suspicions) {
  if (misses.empty()) return;
  if (groups_.contains(misses.front().finding.device)) {
    lay_groups(std::move(misses));
  } else {
    lay_paths(std::move(misses), suspicions);
  }
}

void SpanBlame::charge_node(std::size_t node, std::vector<const Miss*> misses, const std::string& with) {
  Finding finding = misses.front()->finding;
  finding.text = fmt::format("{}{}", finding.text, with);
  finding.device.clear();
  shared_[node].push_back(std::move(finding));
}

void SpanBlame::lay_paths(std::vector<Miss> misses, const std::vector<Suspicion>& suspicions) {
  FleetFinding fleet;
  std::ranges::copy_if(suspicions, std::back_inserter(fleet.suspicions), &Suspicion::sure);
  std::map<std::size_t, std::set<std::size_t>> met;
  for (const PathReading& reading : evidence_.paths) {
    met[reading.from].insert(reading.to);
    met[reading.to].insert(reading.from);
  }
  std::vector<const Miss*> open;
  for (const Miss& miss : misses) {
    const PathReading& path = *paths_.at(miss.finding.device);
    const Suspicion* suspicion = accounts_for(fleet, evidence_.nodes, path.from, path.to, path.rail);
    if (suspicion == nullptr) {
      open.push_back(&miss);
    } else {
      charge(*suspicion, miss.finding);
    }
  }
  struct Charge {
    std::size_t node;
    std::vector<const Miss*> misses;
    std::size_t partners;
  };
  std::vector<Charge> charges;
  const std::size_t in_all = open.size();
  while (!open.empty()) {
    std::map<std::size_t, std::set<std::size_t>> missing;
    for (const Miss* miss : open) {
      const PathReading& path = *paths_.at(miss->finding.device);
      missing[path.from].insert(path.to);
      missing[path.to].insert(path.from);
    }
    const auto worst = std::ranges::max_element(missing, {}, [](const auto& each) { return each.second.size(); });
    const std::size_t node = worst->first;
    const std::size_t partners = worst->second.size();
    if (partners < 2 || 2 * partners < met[node].size()) break;
    std::vector<const Miss*> own;
    std::erase_if(open, [&](const Miss* miss) {
      const PathReading& path = *paths_.at(miss->finding.device);
      const bool is_own = path.from == node || path.to == node;
      if (is_own) own.push_back(miss);
      return is_own;
    });
    charges.push_back({node, std::move(own), partners});
  }
  if (static_cast<double>(charges.size()) > most_blamed()) {
    std::set<std::size_t> nodes;
    for (const Miss& miss : misses) {
      nodes.insert(paths_.at(miss.finding.device)->from);
      nodes.insert(paths_.at(miss.finding.device)->to);
    }
    Finding finding = misses.front().finding;
    finding.text = fmt::format("{} of {} paths miss it, on {} of {} nodes: it is what they share, or the expectation; the first: {}",
                               in_all, paths_.size(), nodes.size(), evidence_.nodes.size(), finding.text);
    finding.device.clear();
    for (const Charge& each : charges) leave_open(each.node, each.misses.front()->finding, kOneOfMany);
    for (const Miss* miss : open) {
      const PathReading& path = *paths_.at(miss->finding.device);
      for (const std::size_t node : {path.from, path.to}) leave_open(node, miss->finding, kOneOfMany);
    }
    return charge(evidence_.fabric, std::move(finding));
  }
  for (const Charge& each : charges) {
    charge_node(each.node, each.misses,
                fmt::format(", and so with {} of the {} nodes it met", each.partners, met[each.node].size()));
  }
  for (const Miss* miss : open) {
    const PathReading& path = *paths_.at(miss->finding.device);
    const bool is_pair = met[path.from].size() < 2 && met[path.to].size() < 2;
    if (is_pair) {
      for (const std::size_t node : {path.from, path.to}) leave_open(node, miss->finding, kOneOfTwo);
    }
    Finding finding = miss->finding;
    finding.text += is_pair ? "; it is one of the two or what lies between them, and only a third node could tell"
                            : "; both are good with others, so it is the path between them";
    charge(evidence_.fabric, std::move(finding));
  }
}

// A node that is in a failing group and in no passing one; where a failing group has exactly one such, it is that one.
void SpanBlame::lay_groups(std::vector<Miss> misses) {
  const std::string metric = misses.front().finding.metric;
  std::set<std::size_t> good;
  for (const SpanGroup& group : evidence_.groups) {
    const bool missed = std::ranges::any_of(misses, [&](const Miss& miss) { return miss.finding.device == group.device; });
    if (!missed && measures(run_.trials[group.trial], metric, group.device)) good.insert(group.members.begin(), group.members.end());
  }
  // The smallest first: what they tell is what the larger ones only hold.
  std::ranges::stable_sort(misses, {}, [&](const Miss& miss) {
    const SpanGroup& group = *groups_.at(miss.finding.device);
    return std::ranges::count_if(group.members, [&](std::size_t node) { return !good.contains(node); });
  });
  std::set<std::size_t> charged;
  for (const Miss& miss : misses) {
    std::vector<std::size_t> suspects = groups_.at(miss.finding.device)->members;
    const bool is_explained = std::ranges::any_of(suspects, [&](std::size_t node) { return charged.contains(node); });
    if (is_explained) continue;
    std::erase_if(suspects, [&](std::size_t node) { return good.contains(node) || node >= evidence_.nodes.size(); });
    if (suspects.size() == 1) {
      charged.insert(suspects.front());
      charge_node(suspects.front(), {&miss}, "; the others of that group are good in another");
      continue;
    }
    for (const std::size_t node : suspects) leave_open(node, miss.finding, kOneOfGroup);
    Finding finding = miss.finding;
    finding.text += suspects.empty() ? "; each of its nodes is good in another group: they fail together only"
                                     : fmt::format("; it is among {}", shown(names_of(evidence_, suspects)));
    charge(evidence_.fabric, std::move(finding));
  }
}

void SpanBlame::leave_open(std::size_t node, Finding finding, std::string_view why) {
  if (finding.outcome == Outcome::fail) finding.outcome = Outcome::error;
  if (!left_open_.emplace(node, finding.metric, finding.outcome).second) return;
  finding.text += fmt::format("; {}", why);
  charge(evidence_.trials[node], std::move(finding));
}

// One may always be blamed, however few there are.
double SpanBlame::most_blamed() const {
  return std::max(1.0, max_blamed(run_) * static_cast<double>(evidence_.nodes.size()));
}

void SpanBlame::settle() {
  std::vector<std::size_t> failing;
  std::vector<Finding> why;  // of each of them
  for (const auto& [node, findings] : shared_) {
    const auto fail = std::ranges::find(findings, Outcome::fail, &Finding::outcome);
    if (fail == findings.end()) continue;
    failing.push_back(node);
    why.push_back(*fail);
  }
  if (static_cast<double>(failing.size()) > most_blamed()) {
    Finding finding = why.front();
    finding.text = fmt::format("{} of {} nodes look bad, which is more than {:.3g} % of them: it is what they share, or the "
                               "expectation: {}; first of them {}: {}",
                               failing.size(), evidence_.nodes.size(), max_blamed(run_) * 100,
                               shown(names_of(evidence_, failing)), evidence_.nodes[failing.front()].name, finding.text);
    finding.device.clear();
    charge(evidence_.fabric, std::move(finding));
    for (std::size_t i = 0; i < failing.size(); ++i) {
      leave_open(failing[i], std::move(why[i]), kOneOfMany);
      shared_.erase(failing[i]);
    }
  }
  for (auto& [node, findings] : shared_) {
    std::ranges::move(findings, std::back_inserter(charged_[evidence_.trials[node]]));
  }
  shared_.clear();
}

}  // namespace rackproof
