// The second pass over suspects: each is measured again with partners that are known to be good, and only what persists
// is a finding.
#pragma once

#include <set>

#include "graphs/fleet.h"

namespace rackproof {

// Who is not known to be good: nodes in any suspicion, ends of a suspected path too, and those that were not measured.
std::set<std::size_t> concerned(const FleetFinding&);

// Rounds of pairs of indices into the nodes; no node is twice in one round. Each suspect meets at least `partners`
// different good nodes when there are so many, a leaf's suspects nodes of other leaves, and a suspected path is
// measured again itself. Empty when there is nothing to confirm or nobody good to do it with.
std::vector<std::vector<std::vector<std::size_t>>> confirmation_pairs(const FleetFinding&,
                                                                      const std::vector<FleetNode>&,
                                                                      std::size_t partners = 3);

// The first pass's suspicions that the second pass's values bear out, with the second pass's figures. A `pair` becomes
// the node or the path that it was. `common` stands as it is: a second pass with the same nodes says no more.
std::vector<Suspicion> confirmed(const FleetFinding& first, const std::vector<FleetNode>&,
                                 const std::vector<PathValue>& second, const FleetBounds& = {});

}  // namespace rackproof
