// The kernels of nccl.allreduce: what ranks give, what must come out, and the search for what is wrong.
#include "checks/nccl/values.cu"
#include "tests/simulator/kernels.h"

namespace rackproof::simulator {
namespace {

using Long = unsigned long long;

[[maybe_unused]] const bool kAdded = [] {
  add_kernel<rackproof_nccl_fill_given>("rackproof_nccl_fill_given", Purity::pure,
                                        [](dim3, dim3, uint4* memory, Long vectors, Long, Long, Long, int) {
                                          return Cost{.accesses = {{memory, vectors * 16, true}}};
                                        });
  // What comes out of an all-reduce is the same on all ranks, and then computed once.
  add_kernel<rackproof_nccl_fill_expected>("rackproof_nccl_fill_expected", Purity::pure,
                                           [](dim3, dim3, uint4* memory, Long received, int, Long, int, int, Long) {
                                             return Cost{.accesses = {{memory, (received + 3) / 4 * 16, true}}};
                                           });
  add_kernel<rackproof_nccl_find_wrong>(
      "rackproof_nccl_find_wrong", Purity::unknown,
      [](dim3, dim3, const uint4*, Long, int, Long, int, int, Long, const Long*, Long, Long*) { return Cost{}; });
  add_kernel<rackproof_nccl_clear_wrong>("rackproof_nccl_clear_wrong", Purity::unknown,
                                         [](dim3, dim3, Long*, unsigned int) { return Cost{}; });
  return true;
}();

}  // namespace
}  // namespace rackproof::simulator
