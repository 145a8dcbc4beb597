// The kernels that every CUDA check uses: the gate, and memory as words.
#include "checks/gpu/gate.cu"
#include "checks/gpu/words.cu"
#include "tests/simulator/kernels.h"

namespace rackproof::simulator {
namespace {

[[maybe_unused]] const bool kAdded = [] {
  add_kernel<rackproof_gate>(
      "rackproof_gate", Purity::unknown,
      [](dim3, dim3, const volatile unsigned int*, unsigned long long) { return Cost{.accesses = {}, .is_idle = true}; },
      [](void** args) { return **static_cast<const volatile unsigned int**>(args[0]) != 0; });
  add_kernel<rackproof_fill_words>(
      "rackproof_fill_words", Purity::pure,
      [](dim3, dim3, ulonglong2* memory, unsigned long long pairs, unsigned long long, unsigned long long) {
        return Cost{.accesses = {{memory, pairs * 16, true}}};
      });
  add_kernel<rackproof_compare_words>(
      "rackproof_compare_words", Purity::unknown,
      [](dim3, dim3, const ulonglong2* memory, unsigned long long pairs, unsigned long long, unsigned long long,
         unsigned long long*) { return Cost{.accesses = {{memory, pairs * 16, false}}}; });
  add_kernel<rackproof_clear_errors>("rackproof_clear_errors", Purity::unknown,
                                     [](dim3, dim3, unsigned long long*, unsigned int) { return Cost{}; });
  add_kernel<rackproof_hash_words>(
      "rackproof_hash_words", Purity::pure,
      [](dim3 grid, dim3 block, const ulonglong2* memory, unsigned long long pairs, unsigned long long* partial) {
        return Cost{.accesses = {{memory, pairs * 16, false}, {partial, std::size_t{grid.x} * block.x * 8, true}}};
      });
  add_kernel<rackproof_add_partials>(
      "rackproof_add_partials", Purity::pure,
      [](dim3, dim3, const unsigned long long* partial, unsigned long long partials, unsigned long long* smaller) {
        return Cost{.accesses = {{partial, partials * 8, false}, {smaller, (partials + 63) / 64 * 8, true}}};
      });
  return true;
}();

}  // namespace
}  // namespace rackproof::simulator
