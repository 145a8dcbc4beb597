#include "graphs/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "graphs/fleet_words.h"

namespace rackproof {

namespace {

// Nodes that are said to be bad in themselves, a side or a rail of them.
std::vector<std::size_t> blamed_nodes(const std::vector<Suspicion>& suspicions) {
  std::set<std::size_t> nodes;
  for (const Suspicion& one : suspicions) {
    if (one.part == Part::node || one.part == Part::sends || one.part == Part::receives || one.part == Part::rail) {
      nodes.insert(one.nodes.begin(), one.nodes.end());
    }
  }
  return {nodes.begin(), nodes.end()};
}

bool too_many(std::size_t bad, std::size_t of, double share) {
  return static_cast<double>(bad) > std::max(1.0, share * static_cast<double>(of));
}

std::size_t count(const std::vector<Suspicion>& suspicions, Part part) {
  return static_cast<std::size_t>(
      std::count_if(suspicions.begin(), suspicions.end(), [&](const Suspicion& one) { return one.part == part; }));
}

// So many are low that each of them being bad is the least likely explanation.
void make_common(FleetFinding& finding, const FleetCells& fleet, const std::vector<FleetNode>& nodes,
                 const FleetBounds& bounds) {
  const std::vector<std::size_t> bad = blamed_nodes(finding.suspicions);
  const std::size_t measured = nodes.size() - finding.unmeasured.size();
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (const Cell& cell : fleet.cells) pairs.insert(std::minmax(cell.from, cell.to));
  const std::size_t leaves = count(finding.suspicions, Part::leaf);
  const std::size_t paths = count(finding.suspicions, Part::path) + count(finding.suspicions, Part::pair);
  std::string what;
  if (too_many(bad.size(), measured, bounds.max_blamed))
    what = fmt::format("{} of {} nodes are", bad.size(), measured);
  else if (too_many(leaves, fleet.leaves.size(), bounds.max_blamed))
    what = fmt::format("{} of {} leaves are", leaves, fleet.leaves.size());
  else if (too_many(paths, pairs.size(), bounds.max_blamed))
    what = fmt::format("{} of {} pairs are", paths, pairs.size());
  else
    return;

  Suspicion common;
  common.part = Part::common;
  std::set<std::size_t> concerned;
  bool reached = false;
  for (const Suspicion& one : finding.suspicions) {
    concerned.insert(one.nodes.begin(), one.nodes.end());
    common.shortfall = std::max(common.shortfall, one.shortfall);
    common.z = std::max(common.z, one.z);
    common.paths += one.paths;
    reached = reached || one.shortfall < 1;
  }
  common.nodes.assign(concerned.begin(), concerned.end());
  for (const std::size_t node : common.nodes) common.names.push_back(nodes[node].name);
  common.sentence = fmt::format(
      "{} {} ({}): so many are not each bad; look at what they have in common, and at what is expected of them", what,
      reached ? "low, up to " + how_far(common.shortfall, bounds) + " the others" : "not reached",
      listed(common.names));
  finding.suspicions = {common};
}

void compare_levels(FleetFinding& finding, const FleetBounds& bounds) {
  std::map<std::string, std::pair<const FleetLevel*, const FleetLevel*>> rails;
  for (const FleetLevel& level : finding.levels) {
    (level.across ? rails[level.rail].second : rails[level.rail].first) = &level;
  }
  const auto on = [](const std::string& rail) { return rail.empty() ? "" : " on " + rail; };
  const auto behind = [&](double value, double of) {
    return bounds.higher_is_better ? 1 - value / of : 1 - of / value;
  };
  std::vector<double> inside_rails;
  for (const auto& [rail, levels] : rails) {
    const auto& [inside, across] = levels;
    if (inside != nullptr && across != nullptr) {
      if (const double share = behind(across->value, inside->value); share >= bounds.least) {
        finding.facts.push_back(
            fmt::format("between leaves it is {} what it is inside them{}", how_far(share, bounds), on(rail)));
      }
    }
    inside_rails.push_back((inside != nullptr ? inside : across)->value);
  }
  if (rails.size() < 2) return;
  const double usual = plain_median(inside_rails);
  for (const auto& [rail, levels] : rails) {
    const FleetLevel* level = levels.first != nullptr ? levels.first : levels.second;
    if (const double share = behind(level->value, usual); share >= bounds.least && !rail.empty()) {
      finding.facts.push_back(
          fmt::format("{} is {} the other rails, over the whole fleet", rail, how_far(share, bounds)));
    }
  }
}

// What all bad nodes share and less than half of the others have.
void say_what_is_shared(FleetFinding& finding, const std::vector<FleetNode>& nodes) {
  std::set<std::size_t> bad;
  for (const Suspicion& one : finding.suspicions) {
    if (one.part == Part::common || one.part == Part::leaf) bad.insert(one.nodes.begin(), one.nodes.end());
  }
  for (const std::size_t node : blamed_nodes(finding.suspicions)) bad.insert(node);
  if (bad.size() < 2 || bad.size() == nodes.size()) return;
  const auto facts_of = [](const FleetNode& node) {
    auto facts = node.facts;
    if (!node.leaf.empty()) facts.emplace_back("leaf", node.leaf);
    return facts;
  };
  for (const auto& fact : facts_of(nodes[*bad.begin()])) {
    std::size_t low = 0;
    std::size_t others = 0;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const auto facts = facts_of(nodes[i]);
      if (std::find(facts.begin(), facts.end(), fact) != facts.end()) ++(bad.contains(i) ? low : others);
    }
    const std::size_t good = nodes.size() - bad.size();
    if (low < bad.size() || 2 * others >= good) continue;
    finding.facts.push_back(
        others == 0 ? fmt::format("all {} that are low have {} {}, and nobody else", low, fact.first, fact.second)
                    : fmt::format("all {} that are low have {} {}, as {} of the {} others have", low, fact.first,
                                  fact.second, others, good));
  }
}

bool covers(const Suspicion& one, const std::vector<FleetNode>& nodes, std::size_t from, std::size_t to,
            const std::string& rail) {
  const auto holds = [&](std::size_t node) {
    return std::find(one.nodes.begin(), one.nodes.end(), node) != one.nodes.end();
  };
  if (!one.rail.empty() && !rail.empty() && one.rail != rail) return false;
  if (!one.some.empty()) return std::find(one.some.begin(), one.some.end(), std::pair(from, to)) != one.some.end();
  switch (one.part) {
    case Part::path:
    case Part::pair:
      return (one.outward && one.nodes[0] == from && one.nodes[1] == to) ||
             (one.inward && one.nodes[1] == from && one.nodes[0] == to);
    case Part::leaf:
      if (one.only_across && nodes[from].leaf == nodes[to].leaf) return false;
      break;
    default:
      break;
  }
  return (one.outward && holds(from)) || (one.inward && holds(to));
}

}  // namespace

std::string_view to_text(Part part) {
  switch (part) {
    case Part::node:
      return "node";
    case Part::sends:
      return "sends";
    case Part::receives:
      return "receives";
    case Part::rail:
      return "rail";
    case Part::leaf:
      return "leaf";
    case Part::path:
      return "path";
    case Part::pair:
      return "pair";
    case Part::common:
      return "common";
  }
  return "";
}

FleetFinding analyse(const std::vector<FleetNode>& nodes, const std::vector<PathValue>& values,
                     const FleetBounds& bounds) {
  FleetFinding finding;
  FleetCells fleet(nodes, values, bounds);
  std::vector<bool> seen(nodes.size(), false);
  for (const Cell& cell : fleet.cells) seen[cell.from] = seen[cell.to] = true;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!seen[i]) finding.unmeasured.push_back(i);
  }
  FleetSearch search(fleet, bounds);
  finding.deviation = search.deviation;
  for (const Blame& blame : search.blames) finding.suspicions.push_back(suspicion_of(blame, fleet, nodes, bounds));
  std::stable_sort(finding.suspicions.begin(), finding.suspicions.end(), [](const Suspicion& a, const Suspicion& b) {
    return std::tuple(-a.shortfall, -a.z, a.names) < std::tuple(-b.shortfall, -b.z, b.names);
  });

  std::map<std::pair<std::size_t, bool>, std::vector<double>> levels;
  std::map<std::pair<std::size_t, bool>, std::size_t> paths;
  for (const Cell& cell : fleet.cells) {
    if (!cell.reached) continue;
    levels[{cell.rail, cell.across}].push_back(cell.log - cell.residual);
    ++paths[{cell.rail, cell.across}];
  }
  for (auto& [key, logs] : levels) {
    const double level = plain_median(logs);
    finding.levels.push_back(
        {fleet.rails[key.first], key.second, std::exp(bounds.higher_is_better ? level : -level), paths[key]});
  }
  make_common(finding, fleet, nodes, bounds);
  compare_levels(finding, bounds);
  say_what_is_shared(finding, nodes);
  return finding;
}

const Suspicion* accounts_for(const FleetFinding& finding, const std::vector<FleetNode>& nodes, std::size_t from,
                              std::size_t to, const std::string& rail) {
  for (const Suspicion& one : finding.suspicions) {
    if (covers(one, nodes, from, to, rail)) return &one;
  }
  return nullptr;
}

}  // namespace rackproof
