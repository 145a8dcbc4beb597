// The pointer chase.
#include "checks/gpu/chase.cu"
#include "tests/simulator/kernels.h"

namespace rackproof::simulator {
namespace {

[[maybe_unused]] const bool kAdded = [] {
  add_kernel<rackproof_chase>(
      "rackproof_chase", Purity::pure,
      [](dim3, dim3, const volatile unsigned long long* memory, unsigned long long words, unsigned long long steps,
         unsigned long long* last) {
        // Its few bytes are no load on any link: what counts is how long each takes.
        const void* const at = const_cast<const unsigned long long*>(memory);
        return Cost{.accesses = {{at, words * 8, false, 1}, {last, 8, true, 1}},
                    .steps = static_cast<double>(steps),
                    .chased = at};
      });
  return true;
}();

}  // namespace
}  // namespace rackproof::simulator
