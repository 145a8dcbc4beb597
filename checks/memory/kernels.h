// The four loops whose speed is measured, in the instructions that this CPU has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rackproof {

// Elements in one turn of the largest loop; lengths are multiples of it, and arrays begin on a cache line.
inline constexpr std::size_t kTurn = 64;

struct Kernels {
  std::string_view name;    // "avx2"
  std::string_view stores;  // "non-temporal" or "ordinary"
  void (*copy)(double* to, const double* from, std::size_t elements);
  // to = left + factor * right
  void (*triad)(double* to, const double* left, const double* right, double factor, std::size_t elements);
  // The sum of the elements' bits modulo 2^64: exact in any order, and any single wrong bit changes it.
  std::uint64_t (*read)(const double* from, std::size_t elements);
  // Element i gets the bits first + i * step.
  void (*write)(double* to, std::uint64_t first, std::uint64_t step, std::size_t elements);
};

extern const Kernels kPortableKernels;
// nullptr where the CPU or the operating system lacks the instructions.
const Kernels* avx2_kernels();
const Kernels* avx512_kernels();

// "auto" (the widest), "avx512", "avx2" or "portable". Throws Trouble for what this CPU cannot run.
const Kernels& choose_kernels(std::string_view instructions);

enum class Operation { copy, triad, read, write };
inline constexpr std::array kOperations{Operation::copy, Operation::triad, Operation::read, Operation::write};

std::string_view to_text(Operation);
// Useful bytes as STREAM counts them: what the loop asks for, without the line that an ordinary store fetches first.
std::int64_t bytes_per_element(Operation);

}  // namespace rackproof
