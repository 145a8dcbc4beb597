// Which steps must pass before which: what a recipe says, and by default every step of the layer below.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "graphs/step.h"
#include "runner/yaml.h"

namespace rackproof {

// Fills in Step::needs. `said` holds for each step the list that its recipe gives, or nullptr; `steps` are in order, a
// layer's together. Throws InputError for a need that does not exist, for a circle, and (at the recipe's own place) when
// steps without a list of their own would need one another beyond all measure.
void settle_needs(std::vector<Step>& steps, std::span<const YamlNode* const> said, const Place& recipe);

// Whether the step `at` needs the step `id`, itself or through others.
bool needs_step(std::span<const Step> steps, std::size_t at, std::string_view id);

}  // namespace rackproof
