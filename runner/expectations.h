// Limits as they stand in files: read from a sentence, and held against the step that they are for.
#pragma once

#include <set>
#include <span>
#include <string>

#include "graphs/step.h"
#include "runner/yaml.h"

namespace rackproof {

// Steps in their order, and the ids of those whose metrics are not known because a check could not be described.
struct KnownSteps {
  std::span<const Step> steps;
  const std::set<std::string>& undescribed;
};

// Throws InputError for a sentence that does not parse.
Expectation read_expectation(const YamlNode& sentence, bool prefer);

// Refuses a limit that could never be judged at the step `at`, with the place of its sentence.
void check_expectation(const Limit&, const YamlNode& sentence, const KnownSteps&, std::size_t at);

}  // namespace rackproof
