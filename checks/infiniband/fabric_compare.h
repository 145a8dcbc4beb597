// Compares the links that a fabric has with those that it should have.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/infiniband/fabric_model.h"
#include "checks/infiniband/fabric_names.h"

namespace rackproof {

enum class FabricDifference { missing, moved, crossed, unexpected, narrower, slower };

struct FabricFinding {
  FabricDifference kind;
  FabricEnd a;  // of the expected link; of the one that is there, where it is unexpected
  FabricEnd b;
  std::string text;  // names both ends, and where they lead instead
};

// Each expected link that is not there is missing, moved or crossed; each link that is there and not expected is what a
// moved or crossed one became, or unexpected. So: not there = missing + moved + crossed, and too much = moved + crossed +
// unexpected. Links that are there are compared by width and by speed, as far as the cabling says them.
std::vector<FabricFinding> compare(const std::vector<FabricLink>& expected, const Fabric&, const FabricNames&);

}  // namespace rackproof
