// The loops with 64-byte registers and non-temporal stores: each instruction moves one whole cache line.
#include "checks/memory/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define RACKPROOF_TARGET __attribute__((target("avx512f")))

namespace rackproof {
namespace {

constexpr std::size_t kLane = 8;  // doubles in a register

RACKPROOF_TARGET void copy(double* to, const double* from, std::size_t elements) {
  for (std::size_t i = 0; i < elements; i += 4 * kLane) {
    const __m512d v0 = _mm512_load_pd(from + i);
    const __m512d v1 = _mm512_load_pd(from + i + kLane);
    const __m512d v2 = _mm512_load_pd(from + i + 2 * kLane);
    const __m512d v3 = _mm512_load_pd(from + i + 3 * kLane);
    _mm512_stream_pd(to + i, v0);
    _mm512_stream_pd(to + i + kLane, v1);
    _mm512_stream_pd(to + i + 2 * kLane, v2);
    _mm512_stream_pd(to + i + 3 * kLane, v3);
  }
  _mm_sfence();
}

RACKPROOF_TARGET void triad(double* to, const double* left, const double* right, double factor, std::size_t elements) {
  const __m512d f = _mm512_set1_pd(factor);
  for (std::size_t i = 0; i < elements; i += 4 * kLane) {
    const __m512d v0 = _mm512_fmadd_pd(f, _mm512_load_pd(right + i), _mm512_load_pd(left + i));
    const __m512d v1 = _mm512_fmadd_pd(f, _mm512_load_pd(right + i + kLane), _mm512_load_pd(left + i + kLane));
    const __m512d v2 = _mm512_fmadd_pd(f, _mm512_load_pd(right + i + 2 * kLane), _mm512_load_pd(left + i + 2 * kLane));
    const __m512d v3 = _mm512_fmadd_pd(f, _mm512_load_pd(right + i + 3 * kLane), _mm512_load_pd(left + i + 3 * kLane));
    _mm512_stream_pd(to + i, v0);
    _mm512_stream_pd(to + i + kLane, v1);
    _mm512_stream_pd(to + i + 2 * kLane, v2);
    _mm512_stream_pd(to + i + 3 * kLane, v3);
  }
  _mm_sfence();
}

RACKPROOF_TARGET std::uint64_t read(const double* from, std::size_t elements) {
  __m512i s0 = _mm512_setzero_si512();
  __m512i s1 = s0;
  __m512i s2 = s0;
  __m512i s3 = s0;
  for (std::size_t i = 0; i < elements; i += 4 * kLane) {
    s0 = _mm512_add_epi64(s0, _mm512_castpd_si512(_mm512_load_pd(from + i)));
    s1 = _mm512_add_epi64(s1, _mm512_castpd_si512(_mm512_load_pd(from + i + kLane)));
    s2 = _mm512_add_epi64(s2, _mm512_castpd_si512(_mm512_load_pd(from + i + 2 * kLane)));
    s3 = _mm512_add_epi64(s3, _mm512_castpd_si512(_mm512_load_pd(from + i + 3 * kLane)));
  }
  alignas(64) std::uint64_t sums[kLane];
  _mm512_store_si512(sums, _mm512_add_epi64(_mm512_add_epi64(s0, s1), _mm512_add_epi64(s2, s3)));
  std::uint64_t sum = 0;
  for (const std::uint64_t part : sums) sum += part;
  return sum;
}

RACKPROOF_TARGET void write(double* to, std::uint64_t first, std::uint64_t step, std::size_t elements) {
  const auto bits = [](std::uint64_t value) { return static_cast<long long>(value); };
  const __m512i lane = _mm512_set_epi64(bits(7 * step), bits(6 * step), bits(5 * step), bits(4 * step), bits(3 * step),
                                        bits(2 * step), bits(step), 0);
  const __m512i turn = _mm512_set1_epi64(bits(4 * kLane * step));
  __m512i v0 = _mm512_add_epi64(_mm512_set1_epi64(bits(first)), lane);
  __m512i v1 = _mm512_add_epi64(_mm512_set1_epi64(bits(first + kLane * step)), lane);
  __m512i v2 = _mm512_add_epi64(_mm512_set1_epi64(bits(first + 2 * kLane * step)), lane);
  __m512i v3 = _mm512_add_epi64(_mm512_set1_epi64(bits(first + 3 * kLane * step)), lane);
  for (std::size_t i = 0; i < elements; i += 4 * kLane) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i), v0);
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i + kLane), v1);
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i + 2 * kLane), v2);
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i + 3 * kLane), v3);
    v0 = _mm512_add_epi64(v0, turn);
    v1 = _mm512_add_epi64(v1, turn);
    v2 = _mm512_add_epi64(v2, turn);
    v3 = _mm512_add_epi64(v3, turn);
  }
  _mm_sfence();
}

constexpr Kernels kKernels{
    .name = "avx512", .stores = "non-temporal", .copy = copy, .triad = triad, .read = read, .write = write};

}  // namespace

const Kernels* avx512_kernels() { return __builtin_cpu_supports("avx512f") != 0 ? &kKernels : nullptr; }

}  // namespace rackproof

#else

const rackproof::Kernels* rackproof::avx512_kernels() { return nullptr; }

#endif
