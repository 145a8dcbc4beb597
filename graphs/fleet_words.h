// How what a fleet's analysis has found is worded.
#pragma once

#include "graphs/fleet_search.h"

namespace rackproof {

Suspicion suspicion_of(const Blame&, const FleetCells&, const std::vector<FleetNode>&, const FleetBounds&);

// "rp01, rp02, rp03 and 5 more"
std::string listed(const std::vector<std::string>&, std::size_t at_most = 6);
// "89 % below", "9.1 times", as the figure is better high or low
std::string how_far(double shortfall, const FleetBounds&);

}  // namespace rackproof
