// How others look for slow nodes, as their sources describe it, on the same invented fabric.
#pragma once

#include "tests/bench/fleet_sim_fabric.h"

namespace rackproof::simulated {

struct Accused {
  std::set<std::size_t> nodes;
  std::size_t rounds = 0;
  double node_seconds = 0;
};
inline constexpr double kRoundSeconds = 2;

// All of them know what a path should carry, 100, and hold each value against a fixed limit.

// n-1 rounds of the circle method, one direction a pair, limit 5 % below, as superbench's ib_validation and its rules
// do; accused is of whose values half are below (accusing both ends of any such value would accuse nearly everybody).
Accused exhaustive(Fabric&);
// Fifteen seeded shuffles whose halves are zipped, both directions added, limit 90 %; accused is whose share of passes
// is below a half (imbue scores nodes by that share and names no bound).
Accused shuffled(Fabric&, std::uint64_t seed);
// One random pairing; who is in a pair more than 10 % below is tried once again with one who was not.
Accused two_passes(Fabric&, std::uint64_t seed);

}  // namespace rackproof::simulated
