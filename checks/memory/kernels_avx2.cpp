// The loops with 32-byte registers and non-temporal stores, which do not fetch the line they overwrite.
#include "checks/memory/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define RACKPROOF_TARGET __attribute__((target("avx2,fma")))

namespace rackproof {
namespace {

constexpr std::size_t kLane = 4;  // doubles in a register

RACKPROOF_TARGET void copy(double* to, const double* from, std::size_t elements) {
  for (std::size_t i = 0; i < elements; i += 4 * kLane) {
    const __m256d v0 = _mm256_load_pd(from + i);
    const __m256d v1 = _mm256_load_pd(from + i + kLane);
    const __m256d v2 = _mm256_load_pd(from + i + 2 * kLane);
    const __m256d v3 = _mm256_load_pd(from + i + 3 * kLane);
    _mm256_stream_pd(to + i, v0);
    _mm256_stream_pd(to + i + kLane, v1);
    _mm256_stream_pd(to + i + 2 * kLane, v2);
    _mm256_stream_pd(to + i + 3 * kLane, v3);
  }
  _mm_sfence();
}

RACKPROOF_TARGET void triad(double* to, const double* left, const double* right, double factor, std::size_t elements) {
  const __m256d f = _mm256_set1_pd(factor);
  for (std::size_t i = 0; i < elements; i += 4 * kLane) {
    const __m256d v0 = _mm256_fmadd_pd(f, _mm256_load_pd(right + i), _mm256_load_pd(left + i));
    const __m256d v1 = _mm256_fmadd_pd(f, _mm256_load_pd(right + i + kLane), _mm256_load_pd(left + i + kLane));
    const __m256d v2 = _mm256_fmadd_pd(f, _mm256_load_pd(right + i + 2 * kLane), _mm256_load_pd(left + i + 2 * kLane));
    const __m256d v3 = _mm256_fmadd_pd(f, _mm256_load_pd(right + i + 3 * kLane), _mm256_load_pd(left + i + 3 * kLane));
    _mm256_stream_pd(to + i, v0);
    _mm256_stream_pd(to + i + kLane, v1);
    _mm256_stream_pd(to + i + 2 * kLane, v2);
    _mm256_stream_pd(to + i + 3 * kLane, v3);
  }
  _mm_sfence();
}

RACKPROOF_TARGET std::uint64_t read(const double* from, std::size_t elements) {
  __m256i s0 = _mm256_setzero_si256();
  __m256i s1 = s0;
  __m256i s2 = s0;
  __m256i s3 = s0;
  for (std::size_t i = 0; i < elements; i += 4 * kLane) {
    s0 = _mm256_add_epi64(s0, _mm256_castpd_si256(_mm256_load_pd(from + i)));
    s1 = _mm256_add_epi64(s1, _mm256_castpd_si256(_mm256_load_pd(from + i + kLane)));
    s2 = _mm256_add_epi64(s2, _mm256_castpd_si256(_mm256_load_pd(from + i + 2 * kLane)));
    s3 = _mm256_add_epi64(s3, _mm256_castpd_si256(_mm256_load_pd(from + i + 3 * kLane)));
  }
  alignas(32) std::uint64_t sums[kLane];
  const __m256i all = _mm256_add_epi64(_mm256_add_epi64(s0, s1), _mm256_add_epi64(s2, s3));
  _mm256_store_si256(reinterpret_cast<__m256i*>(sums), all);
  return sums[0] + sums[1] + sums[2] + sums[3];
}

RACKPROOF_TARGET void write(double* to, std::uint64_t first, std::uint64_t step, std::size_t elements) {
  const auto bits = [](std::uint64_t value) { return static_cast<long long>(value); };
  const __m256i lane = _mm256_set_epi64x(bits(3 * step), bits(2 * step), bits(step), 0);
  const __m256i turn = _mm256_set1_epi64x(bits(4 * kLane * step));
  __m256i v0 = _mm256_add_epi64(_mm256_set1_epi64x(bits(first)), lane);
  __m256i v1 = _mm256_add_epi64(_mm256_set1_epi64x(bits(first + kLane * step)), lane);
  __m256i v2 = _mm256_add_epi64(_mm256_set1_epi64x(bits(first + 2 * kLane * step)), lane);
  __m256i v3 = _mm256_add_epi64(_mm256_set1_epi64x(bits(first + 3 * kLane * step)), lane);
  for (std::size_t i = 0; i < elements; i += 4 * kLane) {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i), v0);
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i + kLane), v1);
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i + 2 * kLane), v2);
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to + i + 3 * kLane), v3);
    v0 = _mm256_add_epi64(v0, turn);
    v1 = _mm256_add_epi64(v1, turn);
    v2 = _mm256_add_epi64(v2, turn);
    v3 = _mm256_add_epi64(v3, turn);
  }
  _mm_sfence();
}

constexpr Kernels kKernels{
    .name = "avx2", .stores = "non-temporal", .copy = copy, .triad = triad, .read = read, .write = write};

}  // namespace

const Kernels* avx2_kernels() {
  return __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 ? &kKernels : nullptr;
}

}  // namespace rackproof

#else

const rackproof::Kernels* rackproof::avx2_kernels() { return nullptr; }

#endif
