// Which steps must pass before which: what a recipe says, and by default every step of the layer below.
#pragma once

#include <span>
#include <vector>

#include "graphs/step.h"
#include "runner/yaml.h"

namespace rackproof {

// Fills in Step::needs. `said` holds for each step the list that its recipe gives, or nullptr; `steps` are in order, a
// layer's together. Throws InputError for a need that does not exist, and for a circle.
void settle_needs(std::vector<Step>& steps, std::span<const YamlNode* const> said);

}  // namespace rackproof
