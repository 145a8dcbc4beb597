// What came of each size, and the figures of the collective that follow from all of them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/sampler.h"
#include "checks/nccl/collective.h"
#include "checks/nccl/figures.h"
#include "checks/nccl/sizes.h"

namespace rackproof {

struct SizeResult {
  std::size_t asked = 0;
  Extents extents;
  Estimate estimate;
  std::vector<RankTimes> times;
};

// Samples of one size: at most 60 s of them.
SamplerBounds bounds_of_size();

// Measures latency, alpha and the busbw of fixed sizes, and, where `largest` (bytes) is among them, busbw, algbw,
// asymptotic and largest_size, of `device` ("" is the node). Takes out what has no samples. Gives busbw of the largest.
std::optional<Measurement> report_sizes(Context&, std::string_view device, std::vector<SizeResult>&, double bus_factor,
                                        std::size_t largest);

// Says which sizes have no room.
void note_left_out(Context&, const SizePlan&);

}  // namespace rackproof
