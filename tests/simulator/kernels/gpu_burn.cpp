// The kernels of gpu.burn: operands, digests of products, entries to look at, pauses.
#include "checks/gpu/gemm_digests.cu"
#include "checks/gpu/operands.cu"
#include "tests/simulator/kernels.h"

namespace rackproof::simulator {
namespace {

using Word = unsigned long long;

[[maybe_unused]] const bool kAdded = [] {
  add_kernel<rackproof_fill_operand>("rackproof_fill_operand", Purity::pure,
                                     [](dim3, dim3, uint4* matrix, Word quads, int, Word) {
                                       return Cost{.accesses = {{matrix, quads * 16, true}}};
                                     });
  add_kernel<rackproof_digest_products>(
      "rackproof_digest_products", Purity::pure,
      [](dim3 grid, dim3 block, const ulonglong2* first, Word pairs, int, ulonglong2* partial) {
        return Cost{.accesses = {{first, pairs * grid.y * 16, false},
                                 {partial, std::size_t{grid.x} * grid.y * block.x * 16, true}}};
      });
  add_kernel<rackproof_fold_digests>(
      "rackproof_fold_digests", Purity::pure,
      [](dim3 grid, dim3, const ulonglong2* partial, unsigned int each, ulonglong2* smaller) {
        return Cost{.accesses = {{partial, std::size_t{grid.y} * each * 16, false},
                                 {smaller, std::size_t{grid.y} * ((each + 63) / 64) * 16, true}}};
      });
  add_kernel<rackproof_gather_entries>(
      "rackproof_gather_entries", Purity::pure,
      [](dim3, dim3, const unsigned char* first, unsigned int bytes, unsigned int size, unsigned int batch, Word,
         unsigned int how_many, Word* entries) {
        return Cost{.accesses = {{first, std::size_t{size} * size * batch * bytes, false, how_many * 32.0},
                                 {entries, std::size_t{how_many} * 8, true}}};
      });
  add_kernel<rackproof_idle>("rackproof_idle", Purity::unknown, [](dim3, dim3, Word nanoseconds) {
    return Cost{.accesses = {}, .fixed_ns = static_cast<double>(nanoseconds), .is_idle = true};
  });
  return true;
}();

}  // namespace
}  // namespace rackproof::simulator
