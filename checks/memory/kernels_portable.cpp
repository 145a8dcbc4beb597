// The loops with the 16-byte vectors that every 64-bit CPU has, and with ordinary stores.
#include "checks/memory/kernels.h"

namespace rackproof {
namespace {

using Doubles = double __attribute__((vector_size(16), may_alias));
using Words = std::uint64_t __attribute__((vector_size(16), may_alias));

constexpr std::size_t kLane = 2;  // doubles in a vector

// Keeps the compiler from replacing a loop by a call to memcpy, whose stores depend on the C library.
inline void keep_loop() { asm volatile("" ::: "memory"); }

template <class Vector>
Vector& at(double* array, std::size_t i) {
  return *reinterpret_cast<Vector*>(array + i);
}

template <class Vector>
const Vector& at(const double* array, std::size_t i) {
  return *reinterpret_cast<const Vector*>(array + i);
}

void copy(double* to, const double* from, std::size_t elements) {
  for (std::size_t i = 0; i < elements; i += 4 * kLane) {
    const Doubles v0 = at<Doubles>(from, i);
    const Doubles v1 = at<Doubles>(from, i + kLane);
    const Doubles v2 = at<Doubles>(from, i + 2 * kLane);
    const Doubles v3 = at<Doubles>(from, i + 3 * kLane);
    at<Doubles>(to, i) = v0;
    at<Doubles>(to, i + kLane) = v1;
    at<Doubles>(to, i + 2 * kLane) = v2;
    at<Doubles>(to, i + 3 * kLane) = v3;
    keep_loop();
  }
}

void triad(double* to, const double* left, const double* right, double factor, std::size_t elements) {
  for (std::size_t i = 0; i < elements; i += 4 * kLane) {
    const Doubles v0 = at<Doubles>(left, i) + factor * at<Doubles>(right, i);
    const Doubles v1 = at<Doubles>(left, i + kLane) + factor * at<Doubles>(right, i + kLane);
    const Doubles v2 = at<Doubles>(left, i + 2 * kLane) + factor * at<Doubles>(right, i + 2 * kLane);
    const Doubles v3 = at<Doubles>(left, i + 3 * kLane) + factor * at<Doubles>(right, i + 3 * kLane);
    at<Doubles>(to, i) = v0;
    at<Doubles>(to, i + kLane) = v1;
    at<Doubles>(to, i + 2 * kLane) = v2;
    at<Doubles>(to, i + 3 * kLane) = v3;
  }
}

std::uint64_t read(const double* from, std::size_t elements) {
  Words s0{};
  Words s1{};
  Words s2{};
  Words s3{};
  for (std::size_t i = 0; i < elements; i += 4 * kLane) {
    s0 += at<Words>(from, i);
    s1 += at<Words>(from, i + kLane);
    s2 += at<Words>(from, i + 2 * kLane);
    s3 += at<Words>(from, i + 3 * kLane);
  }
  const Words all = s0 + s1 + s2 + s3;
  return all[0] + all[1];
}

void write(double* to, std::uint64_t first, std::uint64_t step, std::size_t elements) {
  const Words lane{0, step};
  Words v0 = first + lane;
  Words v1 = v0 + kLane * step;
  Words v2 = v1 + kLane * step;
  Words v3 = v2 + kLane * step;
  for (std::size_t i = 0; i < elements; i += 4 * kLane) {
    at<Words>(to, i) = v0;
    at<Words>(to, i + kLane) = v1;
    at<Words>(to, i + 2 * kLane) = v2;
    at<Words>(to, i + 3 * kLane) = v3;
    v0 += 4 * kLane * step;
    v1 += 4 * kLane * step;
    v2 += 4 * kLane * step;
    v3 += 4 * kLane * step;
  }
}

}  // namespace

const Kernels kPortableKernels{
    .name = "portable", .stores = "ordinary", .copy = copy, .triad = triad, .read = read, .write = write};

}  // namespace rackproof
