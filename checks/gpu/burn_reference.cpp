#include "checks/gpu/burn_reference.h"

#include <bit>
#include <cmath>

namespace rackproof {
namespace {

// How a precision accumulates: the relative size of one rounding, and how many products are added between two of them.
struct Accumulator {
  double unit;
  double step;
};

Accumulator accumulator_of(const Precision& precision) {
  switch (precision.in) {
    case Format::fp64: return {0x1p-53, 1};
    case Format::fp32: return {0x1p-24, 1};
    case Format::tf32:
    case Format::bf16: return {0x1p-23, 1};  // tensor cores cut off what does not fit
    // Hopper's tensor cores keep about 14 bits of FP8 sums (DeepSeek-V3 technical report, arXiv 2412.19437), and an
    // instruction of them adds 32 products.
    case Format::fp8: return {0x1p-13, 32};
  }
  return {0x1p-13, 1};
}

double stored_unit(Format format) {
  switch (format) {
    case Format::fp64: return 0x1p-53;
    case Format::bf16: return 0x1p-8;  // half of it is rounding; all of it, where the accumulator was off at a tie
    default: return 0x1p-24;
  }
}

// What the model leaves open: the luck of the order.
constexpr double kSafety = 4;

}  // namespace

Seeds seeds_of(int precision, int round) {
  const auto number = static_cast<std::uint64_t>(precision * 1000003 + round);
  return {rackproof_word(0xa, number), rackproof_word(0xb, number), rackproof_word(0xc, number)};
}

Reference reference_of(const Precision& precision, const Seeds& seeds, std::int64_t size, std::uint64_t row,
                       std::uint64_t column) {
  const auto length = static_cast<std::uint64_t>(size);
  double sum = 0;
  double lost = 0;  // Kahan: so that FP64 itself can be held against it
  double squares = 0;
  for (std::uint64_t k = 0; k < length; ++k) {
    const double product = stored_element(precision.in, seeds.a, row * length + k) *
                           stored_element(precision.in, seeds.b, column * length + k);
    squares += product * product;
    const double more = product - lost;
    const double next = sum + more;
    lost = (next - sum) - more;
    sum = next;
  }
  const Accumulator accumulator = accumulator_of(precision);
  const double typical = std::sqrt(squares);  // of a partial sum at the end: a random walk
  const double of_accumulator = accumulator.unit * (static_cast<double>(length) / accumulator.step) * typical;
  return {sum, stored_unit(precision.out) * std::abs(sum) + kSafety * of_accumulator};
}

std::vector<Reference> references(const Precision& precision, const Seeds& seeds, std::int64_t size, int batch) {
  std::vector<Reference> all;
  for (std::uint32_t n = 0; n < kReferences; ++n) {
    const Entry entry = entry_at(seeds.entries, n, static_cast<std::uint32_t>(size), static_cast<std::uint32_t>(batch));
    all.push_back(reference_of(precision, seeds, size, entry.row, entry.column));
  }
  return all;
}

double entry_value(Format format, std::uint64_t bits) {
  switch (format) {
    case Format::fp64: return std::bit_cast<double>(bits);
    case Format::bf16: return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16));
    default: return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
}

std::int64_t count_wrong(const Precision& precision, std::span<const std::uint64_t> found,
                         std::span<const Reference> expected, std::size_t& first_wrong) {
  std::int64_t wrong = 0;
  for (std::size_t i = 0; i < found.size() && i < expected.size(); ++i) {
    const double value = entry_value(precision.out, found[i]);
    if (!std::isfinite(value) || std::abs(value - expected[i].value) <= expected[i].tolerance) continue;
    if (wrong++ == 0) first_wrong = i;
  }
  return wrong;
}

}  // namespace rackproof
