// Who measures with whom in which round of a step that spans nodes: pairs, rings, groups or all, by the leaves they
// hang on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rackproof {

struct NodePlace {
  std::string node;
  std::string leaf;  // empty: not known
  std::string rack;  // empty: not known
  bool operator==(const NodePlace&) const = default;
};

enum class Meeting { pairs, rings, groups, all };
// Where partners may hang: on one leaf, in one rack, or anywhere.
enum class Within { leaf, rack, any };

struct PairingOrder {
  Meeting on = Meeting::pairs;
  std::size_t rounds = 5;  // at most; fewer where there are no more partners to meet
  Within within = Within::any;
  std::size_t group = 0;   // nodes in one of `groups` or `rings`; 0: all that may meet
  std::uint64_t seed = 0;  // another seed, another of the possible plans; the same seed, the same plan
};

// Rounds of groups of indices into the places. The groups of a round have no node in common; who finds no partner in a
// round is in none of its groups. The first of a group comes before the others in topology order.
using Rounds = std::vector<std::vector<std::vector<std::size_t>>>;

// Pairs: no two nodes meet twice, and a node rests only where the number that may meet is odd (leaves of unequal size
// may leave two more without a partner in a round). Where leaves are known and partners may hang anywhere, about two
// rounds of five are inside leaves and the others across them, so that a node, its leaf's uplink and the spine can be
// told apart; across, each node meets another leaf in each round as long as there are. Groups and rings: consecutive in
// topology order in the first round, reshuffled for each further one. What is left over joins the last group when it is
// too small to be one. All: one group, the same in every round.
Rounds pairing(const std::vector<NodePlace>&, const PairingOrder&);

}  // namespace rackproof
