// An invented fabric with known faults, for the simulation of fleets: what a path carries is the least of what it
// passes.
#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "graphs/fleet.h"
#include "runner/pairing.h"

namespace rackproof::simulated {

enum class Fault { none, node, nic, cable, uplink, lossy, two };
inline constexpr Fault kFaults[] = {Fault::none,   Fault::node,  Fault::nic, Fault::cable,
                                    Fault::uplink, Fault::lossy, Fault::two};
const char* to_text(Fault);

// Leaves of 32 nodes (4 in fleets of up to 64) with eight uplinks each. Every path carries 100. What lies above the
// leaves, one level or two, has no fault of its own and so needs no more of a model.
class Fabric {
 public:
  Fabric(std::size_t nodes, Fault, double noise, std::uint64_t seed);

  std::size_t size() const { return places_.size(); }
  const std::vector<NodePlace>& places() const { return places_; }
  std::vector<FleetNode> nodes() const;
  // One rail of four, or (-1) all together.
  double carries(std::size_t from, std::size_t to, int rail = -1);
  std::vector<PathValue> measured(const Rounds&, bool rail_by_rail);

  // Nodes that are at fault themselves.
  const std::set<std::size_t>& bad_nodes() const { return bad_; }
  bool fault_is_a_nodes() const { return !bad_.empty(); }
  // Whether a suspicion names a part that is at fault.
  bool is_right(const Suspicion&) const;
  bool is_detected(const std::vector<Suspicion>&) const;

 private:
  bool takes_lossy(std::size_t from, std::size_t to) const;
  double share(std::size_t from, std::size_t to, int rail) const;

  std::vector<NodePlace> places_;
  std::vector<std::size_t> leaf_;
  Fault fault_;
  double noise_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  std::size_t node_ = 0, other_ = 0, bad_leaf_ = 0;
  std::set<std::size_t> bad_;
};

}  // namespace rackproof::simulated
