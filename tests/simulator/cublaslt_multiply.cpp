#include "tests/simulator/cublaslt_multiply.h"

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include "checks/gpu/operand_values.h"

// Of one source, what each CPU does best.
#define RACKPROOF_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

namespace rackproof::simulator {
namespace {

// A vector of 32 bytes: 8 floats or 4 doubles.
template <class T>
struct Lanes;
template <>
struct Lanes<float> {
  typedef float Type __attribute__((vector_size(32), aligned(4), may_alias));
};
template <>
struct Lanes<double> {
  typedef double Type __attribute__((vector_size(32), aligned(8), may_alias));
};

// Rows and columns of the tile whose sums stay in registers; operands of one block of k stay in the caches.
constexpr std::size_t kRows = 4;
constexpr std::size_t kColumns = 3;
constexpr std::size_t kBlock = 512;
constexpr std::size_t kColumnsOfBlock = 48;

struct Strip {
  std::size_t begin = 0;
  std::size_t end = 0;
};

template <class T>
inline __attribute__((always_inline)) T total(typename Lanes<T>::Type v) {
  T sum = 0;
  for (std::size_t i = 0; i < 32 / sizeof(T); ++i) sum += v[i];
  return sum;
}

template <class T, std::size_t Rows, std::size_t Columns>
inline __attribute__((always_inline)) void tile(const T* a, const T* b, std::size_t k, std::size_t length, T* sums,
                                                std::size_t m) {
  using V = typename Lanes<T>::Type;
  constexpr std::size_t kLanes = 32 / sizeof(T);
  V all[Rows][Columns] = {};
  for (std::size_t at = 0; at < length; at += kLanes) {
    V column[Columns];
    for (std::size_t j = 0; j < Columns; ++j) column[j] = *reinterpret_cast<const V*>(b + j * k + at);
    for (std::size_t i = 0; i < Rows; ++i) {
      const V row = *reinterpret_cast<const V*>(a + i * k + at);
      for (std::size_t j = 0; j < Columns; ++j) all[i][j] += row * column[j];
    }
  }
  for (std::size_t i = 0; i < Rows; ++i) {
    for (std::size_t j = 0; j < Columns; ++j) sums[j * m + i] += total<T>(all[i][j]);
  }
}

template <class T>
inline __attribute__((always_inline)) void strip(const T* a, const T* b, T* sums, std::size_t m, std::size_t k,
                                                 Strip columns) {
  for (std::size_t block = 0; block < k; block += kBlock) {
    const std::size_t length = std::min(kBlock, k - block);
    for (std::size_t first = columns.begin; first < columns.end; first += kColumnsOfBlock) {
      const std::size_t last = std::min(columns.end, first + kColumnsOfBlock);
      for (std::size_t i = 0; i < m; i += kRows) {
        std::size_t j = first;
        for (; j + kColumns <= last; j += kColumns) {
          tile<T, kRows, kColumns>(a + i * k + block, b + j * k + block, k, length, sums + j * m + i, m);
        }
        for (; j < last; ++j) tile<T, kRows, 1>(a + i * k + block, b + j * k + block, k, length, sums + j * m + i, m);
      }
    }
  }
}

RACKPROOF_CLONES void strip_of_floats(const float* a, const float* b, float* sums, std::size_t m, std::size_t k,
                                      Strip columns) {
  strip<float>(a, b, sums, m, k, columns);
}
RACKPROOF_CLONES void strip_of_doubles(const double* a, const double* b, double* sums, std::size_t m, std::size_t k,
                                       Strip columns) {
  strip<double>(a, b, sums, m, k, columns);
}

std::vector<float> as_floats(const void* matrix, std::size_t count, Element element) {
  std::vector<float> values(count);
  if (element == Element::bf16) {
    const auto* const halves = static_cast<const std::uint16_t*>(matrix);
    for (std::size_t i = 0; i < count; ++i) values[i] = float_of(static_cast<std::uint32_t>(halves[i]) << 16);
  } else if (element == Element::fp8) {
    const auto* const bytes = static_cast<const std::uint8_t*>(matrix);
    float table[256];
    for (int i = 0; i < 256; ++i) table[i] = from_e4m3(static_cast<std::uint8_t>(i));
    for (std::size_t i = 0; i < count; ++i) values[i] = table[bytes[i]];
  } else {
    std::memcpy(values.data(), matrix, count * sizeof(float));
    if (element == Element::tf32) {
      for (float& value : values) value = float_of(rounded_bits(value, 13));
    }
  }
  return values;
}

template <class Body>
void on_two_threads(std::size_t columns, Body body) {
  const std::size_t half = (columns / 2 + kColumnsOfBlock - 1) / kColumnsOfBlock * kColumnsOfBlock;
  if (half >= columns) return body(Strip{0, columns});
  std::thread other([&] { body(Strip{half, columns}); });
  body(Strip{0, half});
  other.join();
}

}  // namespace

std::size_t bytes_of(Element element) {
  return element == Element::fp64 ? 8 : element == Element::bf16 ? 2 : element == Element::fp8 ? 1 : 4;
}

void multiply(const Multiplication& of) {
  if (of.in == Element::fp64) {
    auto* const c = static_cast<double*>(of.c);
    std::fill_n(c, of.m * of.n, 0.0);
    on_two_threads(of.n, [&](Strip columns) {
      strip_of_doubles(static_cast<const double*>(of.a), static_cast<const double*>(of.b), c, of.m, of.k, columns);
    });
    return;
  }
  const std::vector<float> a = as_floats(of.a, of.m * of.k, of.in);
  const std::vector<float> b = as_floats(of.b, of.n * of.k, of.in);
  std::vector<float> sums(of.m * of.n, 0.0f);
  on_two_threads(of.n, [&](Strip columns) { strip_of_floats(a.data(), b.data(), sums.data(), of.m, of.k, columns); });
  if (of.out == Element::bf16) {
    auto* const c = static_cast<std::uint16_t*>(of.c);
    for (std::size_t i = 0; i < sums.size(); ++i) c[i] = static_cast<std::uint16_t>(rounded_bits(sums[i], 16) >> 16);
  } else {
    std::memcpy(of.c, sums.data(), sums.size() * sizeof(float));
  }
}

}  // namespace rackproof::simulator
