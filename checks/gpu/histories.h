// Estimates from samples that several parts gave at the same time: nobody can stop on his own, so what the sampler decides
// is decided for each of them from its history.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "checks/api/sampler.h"

namespace rackproof {

using History = std::vector<Sample>;

// What sample() would give for these samples; nullopt when it would ask for more of them.
std::optional<Estimate> steady_estimate(const History&, const SamplerBounds& = {});

// The same, and when it would ask for more, what there is, marked as unsteady. The history must not be empty.
Estimate final_estimate(const History&, const SamplerBounds& = {});

// Whether every history that goes on (those that are empty do not) has its estimate.
bool all_are_steady(const std::vector<History>&, const SamplerBounds& = {});

// Time in the longest of them.
std::int64_t longest_ns(const std::vector<History>&);

}  // namespace rackproof
