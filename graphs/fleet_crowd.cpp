// The cap on how many parts may each be bad, and what those that are too many have in common.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "graphs/fleet.h"
#include "graphs/fleet_words.h"

namespace rackproof {

namespace {

bool is_of_node(const Suspicion& one) {
  return one.part == Part::node || one.part == Part::sends || one.part == Part::receives || one.part == Part::rail;
}
bool is_of_leaf(const Suspicion& one) { return one.part == Part::leaf; }
bool is_of_path(const Suspicion& one) { return one.part == Part::path || one.part == Part::pair; }

// Nodes that are said to be bad in themselves, a side or a rail of them.
std::vector<std::size_t> blamed_nodes(const std::vector<Suspicion>& suspicions) {
  std::set<std::size_t> nodes;
  for (const Suspicion& one : suspicions) {
    if (is_of_node(one) && one.sure) nodes.insert(one.nodes.begin(), one.nodes.end());
  }
  return {nodes.begin(), nodes.end()};
}

// The few that fall short by so many times what the next does are bad, whatever the rest has in common.
constexpr double kStandsOut = 4;

// Parts of one kind, of which no more than a share can each be bad.
struct Crowd {
  bool (*is)(const Suspicion&);
  const char* one;
  const char* many;
  std::size_t of = 0;
  std::map<std::vector<std::size_t>, double> bad = {};  // nodes of a part, and how far it falls short, as a logarithm

  std::size_t most(double share) const {
    return std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(of)));
  }
};

// Who of too many stands out, at most `most` of them.
std::set<std::vector<std::size_t>> outstanding(const Crowd& crowd, std::size_t most) {
  std::vector<std::pair<double, std::vector<std::size_t>>> worst;
  for (const auto& [nodes, depth] : crowd.bad) worst.emplace_back(depth, nodes);
  std::sort(worst.rbegin(), worst.rend());
  for (std::size_t n = std::min(most, worst.size() - 1); n > 0; --n) {
    if (worst[n - 1].first < kStandsOut * worst[n].first) continue;
    std::set<std::vector<std::size_t>> few;
    for (std::size_t i = 0; i < n; ++i) few.insert(worst[i].second);
    return few;
  }
  return {};
}

// So many are low that each of them being bad is the least likely explanation.
void make_common(FleetFinding& finding, const std::vector<FleetNode>& nodes, const FleetBounds& bounds) {
  for (Crowd crowd : {Crowd{is_of_node, "node", "nodes", nodes.size() - finding.unmeasured.size()},
                      Crowd{is_of_leaf, "leaf", "leaves", finding.leaves},
                      Crowd{is_of_path, "pair", "pairs", finding.pairs}}) {
    for (const Suspicion& one : finding.suspicions) {
      if (!crowd.is(one) || !one.sure) continue;
      double& depth = crowd.bad[one.nodes];
      depth = std::max(depth, one.shortfall < 1 ? -std::log(1 - one.shortfall) : -kNothing);
    }
    const std::size_t most = crowd.most(bounds.max_blamed);
    if (crowd.bad.size() <= most) continue;

    const std::set<std::vector<std::size_t>> few = outstanding(crowd, most);
    std::vector<Suspicion> kept;
    Suspicion common;
    common.part = Part::common;
    std::set<std::size_t> concerned;
    bool reached = false;
    for (Suspicion& one : finding.suspicions) {
      if (!one.sure || !crowd.is(one) || few.contains(one.nodes)) {
        kept.push_back(std::move(one));
        continue;
      }
      concerned.insert(one.nodes.begin(), one.nodes.end());
      common.shortfall = std::max(common.shortfall, one.shortfall);
      common.z = std::max(common.z, one.z);
      common.paths += one.paths;
      reached = reached || one.shortfall < 1;
    }
    common.nodes.assign(concerned.begin(), concerned.end());
    for (const std::size_t node : common.nodes) common.names.push_back(nodes[node].name);
    const std::size_t rest = crowd.bad.size() - few.size();
    const std::string what =
        fmt::format("{} of {}{} {} {}", rest, few.empty() ? "" : "the other ", crowd.of - few.size(),
                    crowd.of - few.size() == 1 ? crowd.one : crowd.many, rest == 1 ? "is" : "are");
    const std::string low = reached ? "low, up to " + how_far(common.shortfall, bounds) + " the others" : "not reached";
    const std::string many =
        few.empty() ? "so many are not each bad"
                    : fmt::format("with those that stand out it is more than {:.3g} %, which are not each bad",
                                  100 * bounds.max_blamed);
    common.sentence = fmt::format("{} {} ({}): {}; look at what they have in common, and at what is expected of them",
                                  what, low, listed(common.names), many);
    kept.push_back(std::move(common));
    finding.suspicions = std::move(kept);
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

}  // namespace

FleetFinding capped(FleetFinding finding, const std::vector<FleetNode>& nodes, const FleetBounds& bounds) {
  make_common(finding, nodes, bounds);
  say_what_is_shared(finding, nodes);
  return finding;
}

}  // namespace rackproof
