#include "checks/gpu/chase.h"

#include "checks/gpu/launch.h"

// Volatile: each load goes to memory that may have changed, and so past the L1 cache.
extern "C" __global__ void rackproof_chase(const volatile unsigned long long* memory, unsigned long long words,
                                           unsigned long long steps, unsigned long long* last) {
  unsigned long long at = 0;
  for (unsigned long long i = 0; i < steps; ++i) {
    at = memory[at];
    if (at >= words) break;
  }
  *last = at;
}

namespace rackproof {

void start_chase(const Stream& stream, const std::uint64_t* memory, std::size_t words, std::uint64_t steps,
                 std::uint64_t* last) {
  launch(rackproof_chase, {1, 1}, stream, reinterpret_cast<const volatile unsigned long long*>(memory), words, steps,
         reinterpret_cast<unsigned long long*>(last));
}

}  // namespace rackproof
