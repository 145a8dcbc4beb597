// Whose fault a low path is: from what many nodes measured between one another, the node, its sending or receiving
// side, one of its rails, a leaf, or the path alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rackproof {

struct FleetNode {
  std::string name;
  std::string leaf;  // the switch it hangs on; empty: not known
  // What else is known of it, such as {"firmware", "28.39.1002"}; only for what the bad ones have in common.
  std::vector<std::pair<std::string, std::string>> facts;
};

// What one node sent to another. Several values of one path (rounds, repeats) are several of these.
struct PathValue {
  std::size_t from = 0;  // index into the fleet's nodes
  std::size_t to = 0;
  std::string rail;     // empty: all rails together
  double value = 0;     // in any unit, the same for all; above zero
  double spread = 0;    // its own relative standard deviation, if known: nothing finer than it is believed
  bool reached = true;  // false: there is no value, because the partner did not answer
};

struct FleetBounds {
  double z = 5;              // how many deviations below the others; more where very many parts are looked at
  double least = 0.03;       // and at least this share below
  double max_blamed = 0.25;  // more nodes than this share cannot all be bad: it is the common part or the expectation
  double repeatability = 0.01;  // relative standard deviation of one value that is taken for granted
  bool higher_is_better = true;
};

enum class Part {
  node,      // both directions
  sends,     // the sending side of a node
  receives,  // the receiving side of a node
  rail,      // one NIC of a node
  leaf,      // a leaf switch or its uplinks
  path,      // between two nodes that are good with others
  pair,      // one of two nodes or the path between them: it cannot be told which
  common,    // so many nodes that it is what they have in common, or the expectation
};
std::string_view to_text(Part);

struct Suspicion {
  Part part = Part::node;
  std::vector<std::string> names;  // the node; the leaf or two leaves; from and to; all that are low for `common`
  std::string rail;                // empty: all rails
  double shortfall = 0;            // share below what the fleet carries: 0.89; 1 when nothing was reached
  double z = 0;
  std::size_t paths = 0;           // values it rests on
  std::string sentence;            // "rp03 receives 89 % below what the fleet carries, over 5 partners (z 41)"
  std::vector<std::size_t> nodes;  // indices of the nodes concerned
  bool outward = true;             // whether what these nodes send is low
  bool inward = true;              // whether what they receive is low
  // Where only some of the part's paths are low: these, each from and to. Otherwise empty: all are.
  std::vector<std::pair<std::size_t, std::size_t>> some;
  bool only_across = false;  // of a leaf: what crosses to other leaves is low, what stays inside is not
  // false: low by twice what is a fault or more, and of so few nodes that chance is not ruled out until it shows again.
  bool sure = true;
};

// What the fleet carries on a rail, inside a leaf or across leaves.
struct FleetLevel {
  std::string rail;
  bool across = false;  // known to cross leaves
  double value = 0;
  std::size_t paths = 0;
};

struct FleetFinding {
  std::vector<FleetLevel> levels;
  double deviation = 0;                 // relative standard deviation of one path's value, faults left out
  std::vector<Suspicion> suspicions;    // the worst first
  std::vector<std::string> facts;       // sentences: what crosses leaves against what does not, what the low ones share
  std::vector<std::size_t> unmeasured;  // nodes of which there is no value at all, not even a failed one
  std::size_t leaves = 0;               // that are known
  std::size_t pairs = 0;                // of nodes that met
};

// Deterministic, whatever the order of the values. Values that are no number above zero are left out.
FleetFinding analyse(const std::vector<FleetNode>&, const std::vector<PathValue>&, const FleetBounds& = {});

// Once the suspicions are all that remain: more of them than may each be bad become one, `common`, but for the few that
// fall short by many times what the others do. Adds what the bad ones share to the facts.
FleetFinding capped(FleetFinding, const std::vector<FleetNode>&, const FleetBounds& = {});

// The suspicion that accounts for a path, or nullptr: what a limit that this path misses should blame.
const Suspicion* accounts_for(const FleetFinding&, const std::vector<FleetNode>&, std::size_t from, std::size_t to,
                              const std::string& rail = {});

}  // namespace rackproof
