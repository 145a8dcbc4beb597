// Goes through the rounds of this rank: finds the partner of each, measures, and reports who was not to be reached.
#pragma once

#include <functional>

#include "checks/api/check.h"
#include "checks/fabric/lobby.h"

namespace rackproof {

struct PairRound {
  int round = 0;
  std::size_t wire = 0;
  Member own;
  Member partner;
  bool is_first = false;
  std::string path;  // id of the path from this rank to its partner: "path:rp01>rp02/mlx5_0"
};

struct PathChoice {
  std::string transports;
  std::vector<std::string> rails;  // one wire each; {""}: one wire, as UCX chooses
  std::uint64_t features = UCP_FEATURE_TAG;
  bool is_rail_named = false;      // the path's id names the rail
};

// From the parameters `transports`, `device` and `rails`, which both checks declare.
PathChoice path_choice(const Context&, std::uint64_t features);
Wires make_wires(const PathChoice&);

// Rounds of two in which this rank takes part, `measure` for each; it may throw PartnerLost. Throws Skip when there is
// none, and Trouble for a group that is no pair.
void each_pair(Context&, Ranks&, Lobby&, Wires&, const PathChoice&,
               const std::function<void(const PairRound&)>& measure);

// The path as a device, and the links of the devices that it really uses to it. `facts` are added.
void report_path(Context&, const PairRound&, Wire&, bool one_sided, Facts facts);

}  // namespace rackproof
