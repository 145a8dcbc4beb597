#include "runner/pairing.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

namespace rackproof {

namespace {

using Indices = std::vector<std::size_t>;
using Pair = std::pair<std::size_t, std::size_t>;
using PairRound = std::vector<Pair>;

// SplitMix64 with Fisher–Yates: the standard's shuffle may differ from one library to the next, a plan must not.
class Shuffler {
 public:
  explicit Shuffler(std::uint64_t seed) : state_(seed) {}
  void operator()(Indices& order) {
    for (std::size_t left = order.size(); left > 1; --left) std::swap(order[left - 1], order[next() % left]);
  }

 private:
  std::uint64_t next() {
    std::uint64_t x = (state_ += 0x9e3779b97f4a7c15ULL);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }
  std::uint64_t state_;
};

// Round `round` of the circle method: n-1 rounds for an even number, n for an odd one, of which each node rests once.
PairRound circle(const Indices& nodes, std::size_t round) {
  const std::size_t seats = nodes.size() + nodes.size() % 2;
  PairRound pairs;
  if (nodes.size() < 2) return pairs;
  const std::size_t turn = seats - 1;
  // The last seat stays where it is; the others move on by one a round.
  const auto add = [&](std::size_t one, std::size_t other) {
    if (one < nodes.size() && other < nodes.size()) pairs.emplace_back(nodes[one], nodes[other]);
  };
  add(round % turn, turn);
  for (std::size_t i = 1; i < seats / 2; ++i) add((round + i) % turn, (round + turn - i) % turn);
  return pairs;
}

std::size_t circle_rounds(std::size_t nodes) { return nodes < 2 ? 0 : nodes + nodes % 2 - 1; }

// Leaf by leaf in the order of first appearance; a node whose leaf is not known is a leaf of its own.
std::vector<Indices> by_leaf(const std::vector<NodePlace>& places, const Indices& nodes) {
  std::vector<Indices> leaves;
  std::map<std::string, std::size_t> known;
  for (const std::size_t node : nodes) {
    const std::string& leaf = places[node].leaf;
    const auto [at, is_new] = known.try_emplace(leaf, leaves.size());
    if (leaf.empty() || is_new) {
      if (!leaf.empty()) at->second = leaves.size();
      leaves.emplace_back();
      leaves.back().push_back(node);
    } else {
      leaves[at->second].push_back(node);
    }
  }
  return leaves;
}

Pair sorted(std::size_t one, std::size_t other) { return {std::min(one, other), std::max(one, other)}; }

// Some rounds inside leaves, the others across them, no pair twice. Gives fewer rounds than asked where the leaves'
// sizes do not allow more.
class MixedPlan {
 public:
  explicit MixedPlan(std::vector<Indices> leaves) : leaves_(std::move(leaves)) {
    for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
      for (const std::size_t node : leaves_[leaf]) {
        order_.push_back(node);
        leaf_of_.push_back(leaf);
      }
      largest_ = std::max(largest_, leaves_[leaf].size());
    }
  }

  std::vector<PairRound> rounds(std::size_t wanted) {
    const std::size_t inside = wanted < 2 ? 0 : std::min((2 * wanted + 2) / 5, circle_rounds(largest_));
    std::vector<PairRound> plan = across(wanted - inside);
    if (plan.size() < wanted - inside) return {};
    std::set<Pair> met;
    for (const PairRound& round : plan) {
      for (const auto& [one, other] : round) met.insert(sorted(one, other));
    }
    std::vector<PairRound> within = inside_rounds(inside, met);
    // In turn, so that a run that is cut short has seen both kinds.
    for (std::size_t round = 0; round < inside; ++round) {
      plan.insert(plan.begin() + static_cast<std::ptrdiff_t>(2 * round + 1), std::move(within[round]));
    }
    return plan;
  }

 private:
  // One half of the nodes, in leaf order, against the other half moved on by a shift: each shift is a round without any
  // pair of another shift. A shift by the largest leaf's size brings every node to another leaf than before.
  std::vector<PairRound> across(std::size_t wanted) const {
    std::vector<PairRound> plan;
    const std::size_t half = (order_.size() + 1) / 2;
    // Of few leaves the same ones soon meet again: then by half a leaf more, so that one leaf meets two others.
    Indices beyond(largest_);
    std::iota(beyond.begin(), beyond.end(), 0);
    if (largest_ > 2)
      std::rotate(beyond.begin() + 1, beyond.begin() + static_cast<std::ptrdiff_t>(largest_ / 2), beyond.end());
    for (const std::size_t by : beyond) {
      for (std::size_t shift = by; shift < half && plan.size() < wanted; shift += largest_) {
        if (PairRound round; shifted(half, shift, round)) plan.push_back(std::move(round));
      }
    }
    return plan;
  }

  bool shifted(std::size_t half, std::size_t shift, PairRound& round) const {
    for (std::size_t i = 0; i < half; ++i) {
      const std::size_t other = half + (i + shift) % half;
      if (other >= order_.size()) continue;
      if (leaf_of_[i] == leaf_of_[other]) return false;
      round.emplace_back(order_[i], order_[other]);
    }
    return true;
  }

  // Who is left over in leaves of an odd size may have met all the others who are: then other leaves turn otherwise.
  std::vector<PairRound> inside_rounds(std::size_t wanted, const std::set<Pair>& met) const {
    std::vector<PairRound> best;
    std::size_t most = 0;
    for (std::size_t turn = 0; turn < largest_; ++turn) {
      std::set<Pair> met_now = met;
      std::vector<PairRound> rounds;
      std::size_t pairs = 0;
      for (std::size_t round = 0; round < wanted; ++round) {
        rounds.push_back(inside(round, turn, met_now));
        pairs += rounds.back().size();
      }
      if (best.empty() || pairs > most) best = std::move(rounds);
      most = std::max(most, pairs);
      if (most == wanted * (order_.size() / 2)) break;
      if (turn == kTurns) break;
    }
    return best;
  }

  // Who is left over inside its leaf meets one who is left over on another.
  PairRound inside(std::size_t round, std::size_t turn, std::set<Pair>& met) const {
    PairRound pairs;
    std::vector<Pair> left_over;  // node, leaf
    for (std::size_t leaf = 0; leaf < leaves_.size(); ++leaf) {
      std::set<std::size_t> resting(leaves_[leaf].begin(), leaves_[leaf].end());
      if (round < circle_rounds(leaves_[leaf].size())) {
        for (const Pair& pair : circle(leaves_[leaf], round + leaf * turn)) {
          pairs.push_back(pair);
          resting.erase(pair.first);
          resting.erase(pair.second);
        }
      }
      for (const std::size_t node : resting) left_over.emplace_back(node, leaf);
    }
    while (left_over.size() > 1) {
      const Pair one = left_over.back();
      left_over.pop_back();
      const auto other = std::find_if(left_over.rbegin(), left_over.rend(), [&](const Pair& candidate) {
        return candidate.second != one.second && !met.contains(sorted(one.first, candidate.first));
      });
      if (other == left_over.rend()) continue;
      pairs.emplace_back(one.first, other->first);
      met.insert(sorted(one.first, other->first));
      left_over.erase(std::next(other).base());
    }
    return pairs;
  }

  static constexpr std::size_t kTurns = 8;  // tries; each costs as much as the plan

  std::vector<Indices> leaves_;
  Indices order_;    // nodes, leaf by leaf
  Indices leaf_of_;  // of a place in this order
  std::size_t largest_ = 0;
};

std::vector<PairRound> pair_rounds(const std::vector<NodePlace>& places, const Indices& nodes,
                                   const PairingOrder& order) {
  std::vector<Indices> leaves = by_leaf(places, nodes);
  const std::size_t possible = circle_rounds(nodes.size());
  const std::size_t wanted = std::min(order.rounds, possible);
  if (order.seed != 0) {
    Shuffler shuffle(order.seed);
    for (Indices& leaf : leaves) shuffle(leaf);
  }
  std::size_t largest = 0;
  for (const Indices& leaf : leaves) largest = std::max(largest, leaf.size());
  // All possible rounds are all pairs, inside and across, and only the circle has them all.
  if (leaves.size() > 1 && largest > 1 && wanted < possible) {
    std::vector<PairRound> mixed = MixedPlan(leaves).rounds(wanted);
    if (!mixed.empty()) return mixed;
  }
  Indices all;
  for (const Indices& leaf : leaves) all.insert(all.end(), leaf.begin(), leaf.end());
  if (order.seed != 0) Shuffler{order.seed + 1}(all);
  std::vector<PairRound> plan;
  for (std::size_t round = 0; round < wanted; ++round) plan.push_back(circle(all, round));
  return plan;
}

// The nodes that may meet, in topology order: racks, and leaves in them, as they first appear.
std::vector<Indices> who_may_meet(const std::vector<NodePlace>& places, Within within) {
  std::map<std::string, std::size_t> racks;
  std::map<std::string, std::size_t> leaves;
  std::vector<std::tuple<std::size_t, std::size_t, std::size_t>> keys;  // rack, leaf, node
  for (std::size_t node = 0; node < places.size(); ++node) {
    const std::size_t rack = racks.try_emplace(places[node].rack, racks.size()).first->second;
    const std::size_t leaf = leaves.try_emplace(places[node].leaf, leaves.size()).first->second;
    keys.emplace_back(within == Within::rack ? rack : 0, leaf, node);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<Indices> together;
  std::size_t last = keys.size();
  for (const auto& [rack, leaf, node] : keys) {
    // Of a node whose leaf or rack is not known nobody can say that a partner hangs there too.
    if (within == Within::leaf && places[node].leaf.empty()) continue;
    if (within == Within::rack && places[node].rack.empty()) continue;
    const std::size_t unit = within == Within::leaf ? leaf : rack;
    if (together.empty() || unit != last) together.emplace_back();
    last = unit;
    together.back().push_back(node);
  }
  return together;
}

std::vector<Indices> cut(const Indices& order, std::size_t size) {
  std::vector<Indices> groups;
  if (size == 0 || size > order.size()) size = order.size();
  for (std::size_t at = 0; at < order.size(); at += size) {
    const std::size_t end = std::min(at + size, order.size());
    const bool too_small = end - at < 2 || 2 * (end - at) < size;
    if (groups.empty() || !too_small) groups.emplace_back();
    groups.back().insert(groups.back().end(), order.begin() + static_cast<std::ptrdiff_t>(at),
                         order.begin() + static_cast<std::ptrdiff_t>(end));
  }
  if (!groups.empty() && groups.back().size() < 2) groups.pop_back();
  return groups;
}

}  // namespace

Rounds pairing(const std::vector<NodePlace>& places, const PairingOrder& order) {
  Rounds rounds;
  const auto round = [&](std::size_t at) -> std::vector<Indices>& {
    if (rounds.size() <= at) rounds.resize(at + 1);
    return rounds[at];
  };
  for (const Indices& nodes : who_may_meet(places, order.within)) {
    if (order.on == Meeting::pairs) {
      const std::vector<PairRound> plan = pair_rounds(places, nodes, order);
      for (std::size_t at = 0; at < plan.size(); ++at) {
        for (const auto& [one, other] : plan[at]) round(at).push_back({one, other});
      }
      continue;
    }
    const std::size_t size = order.on == Meeting::all ? 0 : order.group;
    std::vector<std::size_t> rank(places.size());  // place in topology order
    for (std::size_t i = 0; i < nodes.size(); ++i) rank[nodes[i]] = i;
    for (std::size_t at = 0; at < order.rounds; ++at) {
      Indices mixed = nodes;
      if (at > 0 && size != 0) Shuffler{(order.seed + 1) * 1000003 + at}(mixed);
      for (Indices& group : cut(mixed, size)) {
        std::sort(group.begin(), group.end(), [&](std::size_t a, std::size_t b) { return rank[a] < rank[b]; });
        round(at).push_back(std::move(group));
      }
    }
  }
  return rounds;
}

}  // namespace rackproof
