// fio's log of bandwidth over time, and what of it counts as the steady state.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/sampler.h"

namespace rackproof {

// One sample a line of "end in ms, KiB/s, direction, block size, offset"; lines that are not of this form are left out.
std::vector<Sample> parse_bandwidth_log(std::string_view text);

// The jobs of one phase run side by side: the first samples of all make the first of the sum, and so on.
std::vector<Sample> added_up(std::span<const std::vector<Sample>> jobs);

// Bounds of a steady state for storage, wider than the sampler's own: a tenth is the slope that SNIA's performance test
// specification allows, and the half of the range that it allows.
inline constexpr SamplerBounds kStorageBounds{.spread = 0.10, .drift = 0.10};

// fio ran for its whole time already, so the warm-up is found afterwards: it is what must be cut from the front until
// the rest is steady, as a whole and in its last quarter against the whole. If no rest of at least `keep` samples is,
// all of them count and are unsteady.
// `samples` must not be empty.
Estimate steady_part(std::span<const Sample> samples, const SamplerBounds& = kStorageBounds);

}  // namespace rackproof
