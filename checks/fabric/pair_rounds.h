// Goes through the rounds of this rank: finds the partner of each, measures, and reports who was not to be reached.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/keep.h"
#include "checks/fabric/lobby.h"

namespace rackproof {

struct PairRound {
  int round = 0;
  std::size_t wire = 0;  // the first of its rail
  Member own;
  Member partner;
  bool is_first = false;
  std::string path;  // id of the path from this rank to its partner: "path:rp01>rp02/mlx5_0"
};

struct PathChoice {
  std::string transports;
  std::vector<std::string> rails;  // one wire each; {""}: one wire, as UCX chooses
  std::uint64_t features = UCP_FEATURE_TAG;
  bool is_rail_named = false;  // the path's id names the rail
};

// From the parameters `transports`, `device` and `rails`, which both checks declare.
PathChoice path_choice(const Context&, std::uint64_t features);
// `each` of every rail, side by side.
Wires make_wires(const PathChoice&, std::size_t each);

// Rounds of two in which this rank takes part, `measure` for each and each rail; it may throw PartnerLost, which is
// reported. Throws Skip when there is none, and Trouble for a group that is no pair.
void each_pair(Context&, Ranks&, Lobby&, Wires&, const PathChoice&,
               const std::function<void(const PairRound&)>& measure);

// The path as a device that was reached, the links to it of the devices that it really uses, and whether all of that is
// RDMA. `facts` are added.
void report_path(Context&, const PairRound&, Wire&, LaneUse, Facts facts);

// UCX may go on writing into what belongs to an exchange that broke off, so that is kept to the end of the process.
template <class Thing, class Use>
void keep_while_used(std::unique_ptr<Thing> thing, Use use) {
  try {
    use(*thing);
  } catch (...) {
    if (!thing->has_ended()) keep_for_good(thing);
    throw;
  }
  if (!thing->has_ended()) keep_for_good(thing);
}

}  // namespace rackproof
