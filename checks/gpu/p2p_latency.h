// How long a GPU waits for one load from each of its peers' memory.
#pragma once

#include <vector>

#include "checks/gpu/crew.h"
#include "checks/gpu/histories.h"
#include "checks/gpu/p2p_plan.h"

namespace rackproof {

// One history, of steps, for each of all_pairs(); `reaches` says from which GPU a kernel can read which. A chase is no load
// for any link, so all GPUs chase at once, each in another's memory.
struct Latencies {
  std::vector<Pair> pairs;
  std::vector<History> histories;  // empty: not measured
};
Latencies measure_latencies(Context&, Crew&, const std::vector<std::vector<bool>>& reaches);

}  // namespace rackproof
