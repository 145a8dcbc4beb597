// The two things that gpu.memory does with a crew of GPUs.
#pragma once

#include <cstdint>

#include "checks/api/check.h"
#include "checks/gpu/crew.h"

namespace rackproof {

// Copy, triad, read and write of arrays that are far larger than the L2 cache.
void measure_memory_bandwidth(Context&, Crew&);

struct PatternOrders {
  double share = 0.95;       // of the free memory
  std::int64_t passes = 1;   // at the least
  double duration_s = 0;     // go on with passes until so much device time is spent
  double dwell_s = 0;        // between a write and the look at it
};
void test_memory_patterns(Context&, Crew&, const PatternOrders&);

}  // namespace rackproof
