// Multiplies matrices on the host as a GPU's tensor cores would: operands as they are stored, sums in FP32 or FP64.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rackproof::simulator {

enum class Element { fp64, fp32, tf32, bf16, fp8 };
std::size_t bytes_of(Element);

// All in columns, as BLAS has it: c (m by n) = transposed a (k by m) times b (k by n).
struct Multiplication {
  const void* a = nullptr;
  const void* b = nullptr;
  void* c = nullptr;
  std::size_t m = 0;
  std::size_t n = 0;
  std::size_t k = 0;
  Element in = Element::fp32;
  Element out = Element::fp32;
};
void multiply(const Multiplication&);

}  // namespace rackproof::simulator
