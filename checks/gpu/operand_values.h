// The random matrices that are multiplied: every element follows from a seed and its place, on a GPU and on the host alike,
// so that any product can be checked against operands that never went through the GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "checks/gpu/word.h"

#ifdef __CUDACC__
#define RACKPROOF_EVERYWHERE __host__ __device__
#else
#define RACKPROOF_EVERYWHERE
#endif

namespace rackproof {

// How an element is stored. tf32 lies in memory as FP32 whose low 13 bits are 0, so that no hardware has to round it.
enum class Format { fp64 = 0, fp32 = 1, tf32 = 2, bf16 = 3, fp8 = 4 };

RACKPROOF_EVERYWHERE inline constexpr std::size_t bytes_of(Format format) {
  return format == Format::fp64 ? 8 : format == Format::bf16 ? 2 : format == Format::fp8 ? 1 : 4;
}

// The sum of four uniform numbers in [-1/2, 1/2): nearly normal, mean 0, standard deviation 0.577, never beyond 2. Of 16 or
// 32 random bits each, and 32 more below them in FP64, so that no mantissa is short. Every step but the last is exact; the last rounds the same everywhere.
RACKPROOF_EVERYWHERE inline double random_element(Format format, std::uint64_t seed, std::uint64_t index) {
  if (format != Format::fp64 && format != Format::fp32) {
    const std::uint64_t word = rackproof_word(seed, index);
    const std::uint64_t sum = (word & 0xffffu) + (word >> 16 & 0xffffu) + (word >> 32 & 0xffffu) + (word >> 48);
    return static_cast<double>(static_cast<std::int64_t>(sum) - (std::int64_t{1} << 17)) * (1.0 / 65536.0);
  }
  const std::uint64_t a = rackproof_word(seed, 3 * index);
  const std::uint64_t b = rackproof_word(seed, 3 * index + 1);
  const std::uint64_t sum = (a & 0xffffffffULL) + (a >> 32) + (b & 0xffffffffULL) + (b >> 32);
  const auto high = static_cast<double>(static_cast<std::int64_t>(sum) - (std::int64_t{1} << 33)) * (1.0 / 4294967296.0);
  if (format == Format::fp32) return high;
  const std::uint64_t low = rackproof_word(seed, 3 * index + 2) >> 32;
  return high + static_cast<double>(low) * (1.0 / 4294967296.0 / 4294967296.0);
}

RACKPROOF_EVERYWHERE inline std::uint32_t bits_of(float value) {
  std::uint32_t bits = 0;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}
RACKPROOF_EVERYWHERE inline float float_of(std::uint32_t bits) {
  float value = 0;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// FP32 with its low `dropped` bits rounded away, to nearest and ties to even. Not for values near the largest.
RACKPROOF_EVERYWHERE inline std::uint32_t rounded_bits(float value, int dropped) {
  const std::uint32_t bits = bits_of(value);
  const std::uint32_t half = (1u << (dropped - 1)) - 1 + ((bits >> dropped) & 1u);
  return (bits + half) >> dropped << dropped;
}

// E4M3: 1 sign, 4 exponent (bias 7) and 3 mantissa bits; below 2^-6 in steps of 2^-9. For values up to 448.
RACKPROOF_EVERYWHERE inline std::uint8_t to_e4m3(float value) {
  const std::uint32_t sign = bits_of(value) >> 24 & 0x80u;
  const float magnitude = value < 0 ? -value : value;
  if (magnitude < 0.015625f) {
    // Counted in steps; FP32 above 2^23 has no fractions, so that the addition rounds.
    const float steps = magnitude * 512.0f + 8388608.0f;
    return static_cast<std::uint8_t>(sign | (bits_of(steps) & 0x0fu));
  }
  const std::uint32_t bits = rounded_bits(magnitude, 20);
  return static_cast<std::uint8_t>(sign | ((bits >> 20) - (120u << 3)));
}
RACKPROOF_EVERYWHERE inline float from_e4m3(std::uint8_t bits) {
  const std::uint32_t exponent = bits >> 3 & 0x0fu;
  const std::uint32_t mantissa = bits & 7u;
  const float magnitude = exponent == 0 ? static_cast<float>(mantissa) / 512.0f
                                        : float_of((exponent + 120u) << 23 | mantissa << 20);
  return (bits & 0x80u) != 0 ? -magnitude : magnitude;
}

// The element as a matrix of this format holds it.
RACKPROOF_EVERYWHERE inline double stored_element(Format format, std::uint64_t seed, std::uint64_t index) {
  const double exact = random_element(format, seed, index);
  const auto single = static_cast<float>(exact);
  switch (format) {
    case Format::fp64: return exact;
    case Format::fp32: return static_cast<double>(single);
    case Format::tf32: return static_cast<double>(float_of(rounded_bits(single, 13)));
    case Format::bf16: return static_cast<double>(float_of(rounded_bits(single, 16)));
    case Format::fp8: return static_cast<double>(from_e4m3(to_e4m3(single)));
  }
  return exact;
}

}  // namespace rackproof
