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
  finding.leaves = fleet.leaves.size();
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (const Cell& cell : fleet.cells) pairs.insert(std::minmax(cell.from, cell.to));
  finding.pairs = pairs.size();
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
  compare_levels(finding, bounds);
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
