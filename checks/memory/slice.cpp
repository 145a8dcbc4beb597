#include "checks/memory/slice.h"

#include <algorithm>
#include <bit>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

// Odd, with bits well mixed: multiples of an odd number modulo a power of two never repeat. Fractions of the golden
// ratio, of the square root of two and of that of three.
constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15;
constexpr std::array<std::uint64_t, 2> kSourceStep{kStep, 0x6A09E667F3BCC909};
constexpr std::uint64_t kPassStep = 0xBB67AE8584CAA73B;
constexpr std::uint64_t kLow48 = (1ull << 48) - 1;
constexpr std::size_t kBlock = 1 << 17;  // elements between two looks at the clock

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

std::size_t source_of(std::uint64_t pass) { return pass % 2; }
double factor_of(std::uint64_t pass) { return static_cast<double>(1 + pass % 8); }
std::uint64_t seed_of(std::uint64_t pass) { return pass * kPassStep; }

template <class Expected>
SliceMismatch compare(const double* from, std::size_t elements, std::uint64_t first, Expected expected) {
  SliceMismatch wrong;
  for (std::size_t i = 0; i < elements; ++i) {
    const std::uint64_t right = expected(first + i);
    if (bits(from[i]) == right) continue;
    if (wrong.count++ == 0) wrong = {.count = 1, .index = first + i, .expected = right, .got = bits(from[i])};
  }
  return wrong;
}

}  // namespace

double source_value(std::size_t source, std::uint64_t index) {
  return static_cast<double>((kSourceStep[source] * (index + 1)) & kLow48);
}

Slice::Slice(std::uint64_t first, std::size_t elements, bool huge_pages)
    : first_(first),
      elements_(elements),
      arrays_{Mapping(elements * sizeof(double), huge_pages), Mapping(elements * sizeof(double), huge_pages),
              Mapping(elements * sizeof(double), huge_pages)} {}

void Slice::fill(std::chrono::steady_clock::time_point deadline) {
  for (std::size_t begin = 0; begin < elements_; begin += kBlock) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw Trouble{"the kernel gave only " + std::to_string(begin * sizeof(double) * arrays_.size()) + " of " +
                    std::to_string(elements_ * sizeof(double) * arrays_.size()) + " bytes in the time for it"};
    }
    for (std::size_t i = begin; i < std::min(elements_, begin + kBlock); ++i) {
      target()[i] = 0;
      for (std::size_t which = 0; which < 2; ++which) {
        const double value = source_value(which, first_ + i);
        source(which)[i] = value;
        sums_[which] += bits(value);
      }
    }
  }
}

void Slice::run(Operation operation, const Kernels& kernels, std::int64_t passes) {
  for (std::int64_t i = 0; i < passes; ++i) {
    ++pass_;
    const std::size_t from = source_of(pass_);
    switch (operation) {
      case Operation::copy: kernels.copy(target(), source(from), elements_); break;
      case Operation::triad: kernels.triad(target(), source(0), source(1), factor_of(pass_), elements_); break;
      case Operation::write: kernels.write(target(), seed_of(pass_) + first_ * kStep, kStep, elements_); break;
      case Operation::read: {
        const std::uint64_t sum = kernels.read(source(from), elements_);
        if (sum == sums_[from]) break;
        if (wrong_sums_.count++ == 0) {
          wrong_sums_ = {.count = 1, .index = first_, .expected = sums_[from], .got = sum};
        }
        break;
      }
    }
  }
}

SliceMismatch Slice::verify(Operation operation) const {
  const std::uint64_t pass = pass_;
  switch (operation) {
    case Operation::copy:
      return compare(target(), elements_, first_,
                     [&](std::uint64_t i) { return bits(source_value(source_of(pass), i)); });
    case Operation::triad:
      return compare(target(), elements_, first_, [&](std::uint64_t i) {
        return bits(source_value(0, i) + factor_of(pass) * source_value(1, i));
      });
    case Operation::write:
      return compare(target(), elements_, first_, [&](std::uint64_t i) { return seed_of(pass) + i * kStep; });
    case Operation::read: return wrong_sums_;
  }
  return {};
}

SliceMismatch Slice::verify_source(std::size_t source_index) const {
  return compare(source(source_index), elements_, first_,
                 [&](std::uint64_t i) { return bits(source_value(source_index, i)); });
}

}  // namespace rackproof
