#include "graphs/fleet_second_pass.h"

#include <algorithm>
#include <map>
#include <set>

namespace rackproof {

namespace {

using Pair = std::pair<std::size_t, std::size_t>;

// Of a leaf's nodes so many are measured again.
constexpr std::size_t kLeafNodes = 8;
// Of the low paths of a part that has others so many are.
constexpr std::size_t kSomePaths = 12;
// A single path so often: of very many paths some are low by chance once, and of these again some.
constexpr std::size_t kPathRepeats = 2;
// Suspects for each good node; where there are more, that is the finding, and rounds without end would not change it.
constexpr std::size_t kMostSuspects = 4;
// Controls: good nodes with good nodes, to know what the fabric carries during the second pass.
constexpr std::size_t kControls = 4;

struct Wanted {
  std::size_t node = 0;
  bool another_leaf = false;
  std::size_t left = 0;  // partners still to meet
  std::size_t next = 0;  // where among the good nodes to look first
};

}  // namespace

std::set<std::size_t> concerned(const FleetFinding& finding) {
  std::set<std::size_t> nodes(finding.unmeasured.begin(), finding.unmeasured.end());
  for (const Suspicion& one : finding.suspicions) nodes.insert(one.nodes.begin(), one.nodes.end());
  return nodes;
}

std::vector<std::vector<std::vector<std::size_t>>> confirmation_pairs(const FleetFinding& finding,
                                                                      const std::vector<FleetNode>& nodes,
                                                                      std::size_t partners) {
  const std::set<std::size_t> suspects = concerned(finding);
  std::vector<std::size_t> good;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!suspects.contains(i)) good.push_back(i);
  }
  std::vector<Pair> again;
  std::map<std::size_t, Wanted> wanted;
  for (const Suspicion& one : finding.suspicions) {
    if (one.part == Part::common) continue;
    for (std::size_t i = 0; i < std::min(kSomePaths, one.some.size()); ++i) {
      const Pair pair = std::minmax(one.some[i].first, one.some[i].second);
      if (std::find(again.begin(), again.end(), pair) == again.end()) again.push_back(pair);
    }
    if (!one.some.empty()) continue;
    if (one.part == Part::path || one.part == Part::pair)
      again.insert(again.end(), kPathRepeats, Pair(one.nodes[0], one.nodes[1]));
    const std::size_t at_most = one.part == Part::leaf ? kLeafNodes : one.nodes.size();
    for (std::size_t i = 0; i < std::min(at_most, one.nodes.size()); ++i) {
      // From a leaf whose uplinks are low the way must lead across them.
      Wanted& entry = wanted.try_emplace(one.nodes[i]).first->second;
      entry.node = one.nodes[i];
      entry.another_leaf = entry.another_leaf || one.part == Part::leaf;
      entry.left = partners;
    }
  }
  if (wanted.size() > kMostSuspects * good.size()) wanted.clear();
  if (again.empty() && wanted.empty()) return {};

  std::size_t position = 0;
  for (auto& [node, entry] : wanted) {
    entry.left = std::min(entry.left, good.size());
    entry.next = good.empty() ? 0 : position++ % good.size();
  }
  std::set<Pair> met;
  std::vector<std::vector<std::vector<std::size_t>>> rounds;
  std::size_t control = 0;
  for (bool going_on = true; going_on;) {
    std::vector<std::vector<std::size_t>> round;
    std::set<std::size_t> busy;
    const auto meet = [&](std::size_t one, std::size_t other) {
      busy.insert({one, other});
      met.insert(std::minmax(one, other));
      round.push_back({one, other});
    };
    std::erase_if(again, [&](const Pair& pair) {
      if (busy.contains(pair.first) || busy.contains(pair.second)) return false;
      meet(pair.first, pair.second);
      return true;
    });
    for (auto& [node, entry] : wanted) {
      if (entry.left == 0 || busy.contains(node)) continue;
      for (std::size_t i = 0; i < good.size(); ++i) {
        const std::size_t at = (entry.next + i) % good.size();
        const std::size_t partner = good[at];
        if (busy.contains(partner) || met.contains(std::minmax(node, partner))) continue;
        if (entry.another_leaf && nodes[partner].leaf == nodes[node].leaf) continue;
        meet(node, partner);
        entry.next = (at + 1) % good.size();
        --entry.left;
        break;
      }
    }
    going_on = !round.empty();
    if (!going_on) break;
    std::size_t first = nodes.size();
    std::size_t controls = 0;
    for (std::size_t i = 0; i < good.size() && controls < kControls; ++i) {
      const std::size_t node = good[(control + i) % good.size()];
      if (busy.contains(node)) continue;
      if (first == nodes.size()) {
        first = node;
      } else if (!met.contains(std::minmax(first, node))) {
        meet(first, node);
        first = nodes.size();
        ++controls;
      }
    }
    ++control;
    rounds.push_back(std::move(round));
  }
  return rounds;
}

}  // namespace rackproof
