// The kernels of gpu.memory.
#include "checks/gpu/memory_kernels.cu"
#include "tests/simulator/kernels.h"

namespace rackproof::simulator {
namespace {

// Launches follow each other without a gap here: the real test has chunks so large that a gap does not count, and those of
// a simulated GPU are small.
constexpr double kLaunchNs = 50;

// Every round of a move is the same as the one before; two show whether a read differs, and more would take for ever.
Word few(Word rounds) { return rounds < 2 ? rounds : 2; }
void copy(ulonglong2* to, const ulonglong2* from, Word pairs, Word rounds) {
  rackproof_memory_copy(to, from, pairs, few(rounds));
}
void triad(ulonglong2* to, const ulonglong2* a, const ulonglong2* b, Word pairs, Word rounds) {
  rackproof_memory_triad(to, a, b, pairs, few(rounds));
}
void read(const ulonglong2* from, Word pairs, Word rounds, Word* sums) {
  rackproof_memory_read(from, pairs, few(rounds), sums);
}
void set(ulonglong2* to, Word pairs, Word seed, Word rounds) { rackproof_memory_set(to, pairs, seed, few(rounds)); }

double traffic(Word pairs, Word rounds) { return 16.0 * static_cast<double>(pairs) * static_cast<double>(rounds); }

[[maybe_unused]] const bool kAdded = [] {
  add_kernel<rackproof_memory_clear>("rackproof_memory_clear", Purity::pure, [](dim3, dim3, Word* record, Word words) {
    return Cost{.accesses = {{record, words * 8, true}}};
  });
  add_kernel<rackproof_memory_write>(
      "rackproof_memory_write", Purity::pure, [](dim3, dim3, ulonglong2* memory, Word pairs, Word, Word, Word, Word, Word) {
        return Cost{.accesses = {{memory, pairs * 16, true}}, .fixed_ns = kLaunchNs};
      });
  add_kernel<rackproof_memory_verify>(
      "rackproof_memory_verify", Purity::pure,
      [](dim3, dim3, const ulonglong2* memory, Word pairs, Word, Word, Word, Word, Word, Word* record) {
        constexpr std::size_t kRecord = sizeof(MismatchRecord);
        return Cost{.accesses = {{memory, pairs * 16, false}, {record, kRecord, false, 1}, {record, kRecord, true, 1}},
                    .fixed_ns = kLaunchNs};
      });
  add_kernel<rackproof_memory_invert>(
      "rackproof_memory_invert", Purity::pure,
      [](dim3, dim3, ulonglong2* memory, Word pairs, Word, Word, Word, Word, Word, Word* record) {
        constexpr std::size_t kRecord = sizeof(MismatchRecord);
        return Cost{.accesses = {{memory, pairs * 16, false},
                                 {record, kRecord, false, 1},
                                 {memory, pairs * 16, true},
                                 {record, kRecord, true, 1}},
                    .fixed_ns = kLaunchNs};
      });
  add_kernel<rackproof_memory_dwell>("rackproof_memory_dwell", Purity::unknown, [](dim3, dim3, Word nanoseconds) {
    return Cost{.accesses = {}, .fixed_ns = static_cast<double>(nanoseconds), .is_idle = true};
  });
  add_kernel<copy>("rackproof_memory_copy", Purity::pure,
                   [](dim3, dim3, ulonglong2* to, const ulonglong2* from, Word pairs, Word rounds) {
                     return Cost{.accesses = {{from, pairs * 16, false, traffic(pairs, rounds)},
                                              {to, pairs * 16, true, traffic(pairs, rounds)}},
                                 .fixed_ns = kLaunchNs};
                   });
  add_kernel<triad>("rackproof_memory_triad", Purity::pure,
                    [](dim3, dim3, ulonglong2* to, const ulonglong2* a, const ulonglong2* b, Word pairs, Word rounds) {
                      return Cost{.accesses = {{a, pairs * 16, false, traffic(pairs, rounds)},
                                               {b, pairs * 16, false, traffic(pairs, rounds)},
                                               {to, pairs * 16, true, traffic(pairs, rounds)}},
                                  .fixed_ns = kLaunchNs};
                    });
  add_kernel<read>("rackproof_memory_read", Purity::pure,
                   [](dim3 grid, dim3 block, const ulonglong2* from, Word pairs, Word rounds, Word* sums) {
                     return Cost{.accesses = {{from, pairs * 16, false, traffic(pairs, rounds)},
                                              {sums, std::size_t{grid.x} * block.x * 16, true, 1}},
                                 .fixed_ns = kLaunchNs};
                   });
  add_kernel<set>("rackproof_memory_set", Purity::pure, [](dim3, dim3, ulonglong2* to, Word pairs, Word, Word rounds) {
    return Cost{.accesses = {{to, pairs * 16, true, traffic(pairs, rounds)}}, .fixed_ns = kLaunchNs};
  });
  return true;
}();

}  // namespace
}  // namespace rackproof::simulator
