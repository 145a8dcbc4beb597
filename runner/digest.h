// A short name for a recipe as it was read: the same on two machines only where both would run and expect the same.
#pragma once

#include <string>

#include "runner/recipe.h"

namespace rackproof {

std::string digest_of(const Recipe&);

}  // namespace rackproof
