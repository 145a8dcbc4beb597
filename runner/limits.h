// Lays the expectations of limits files over steps.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "graphs/step.h"
#include "runner/catalog.h"

namespace rackproof {

// Adds the limits of each file to the steps that use its checks. `undescribed`: ids of steps whose metrics are not
// known. Without a catalog, limits of checks that no step uses are not looked at. Throws InputError.
void lay_limits(std::vector<Step>&, const std::vector<std::string>& files, const std::set<std::string>& undescribed,
                Catalog*);

}  // namespace rackproof
