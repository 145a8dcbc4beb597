#include <catch2/catch.hpp>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "checks/api/last_word.h"
#include "checks/gpu/burn_entries.h"
#include "checks/gpu/burn_history.h"
#include "checks/gpu/burn_plan.h"
#include "checks/gpu/burn_reference.h"
#include "checks/gpu/burn_verdict.h"

using namespace rackproof;

namespace {

const Precision& named(const std::string& name) {
  for (const Precision& one : precisions()) {
    if (one.name == name) return one;
  }
  throw std::runtime_error("no precision " + name);
}

std::vector<std::string> names(std::string_view given, int compute) {
  std::vector<std::string> all;
  for (const Precision* one : chosen_precisions(given, compute)) all.emplace_back(one->name);
  return all;
}

BurnHistory history(const std::vector<double>& rates) {
  BurnHistory all;
  for (const double rate : rates) all.add({static_cast<std::int64_t>(rate * 1e6), 1'000'000'000});
  return all;
}

}  // namespace

TEST_CASE("gpu.burn: precisions follow from the architecture, or from a list") {
  CHECK(names("auto", 90) == std::vector<std::string>{"fp64", "fp32", "tf32", "bf16", "fp8"});
  CHECK(names("auto", 89).back() == "fp8");
  CHECK(names("auto", 80).back() == "bf16");
  CHECK(names("auto", 75) == std::vector<std::string>{"fp64", "fp32"});
  CHECK(names("fp8, bf16", 80) == std::vector<std::string>{"bf16", "fp8"});
  CHECK_THROWS_AS(names("bf17", 90), Trouble);
  CHECK_THROWS_AS(names("", 90), Trouble);
  CHECK_THROWS_AS(names("bf16,,fp8", 90), Trouble);
}

TEST_CASE("gpu.burn: the largest matrices that fit, and calls of ten milliseconds where there is memory for them") {
  CHECK(fitting_size(named("bf16"), std::size_t{40} << 30) == 8192);
  CHECK(fitting_size(named("fp64"), std::size_t{60} << 20) == 1024);
  CHECK(fitting_size(named("fp64"), std::size_t{10} << 20) == 0);
  CHECK(fitting_size(named("fp8"), std::size_t{24} << 20) == 2048);

  const double kBeat = wanted_beat_ns(0);
  CHECK(kBeat == 10e6);
  const BurnPlan large = planned(named("bf16"), 8192, std::size_t{40} << 30, 1.5e6, kBeat);
  CHECK(large.batch == 7);
  CHECK(large.calls == 1);
  const BurnPlan small = planned(named("bf16"), 2048, std::size_t{64} << 20, 24e3, kBeat);
  CHECK(small.batch == 6);
  CHECK(small.calls == 69);
  const BurnPlan slow = planned(named("fp64"), 8192, std::size_t{40} << 30, 800e6, kBeat);
  CHECK(slow.batch == 1);
  CHECK(slow.calls == 1);
  CHECK(planned(named("bf16"), 1024, std::size_t{8} << 20, 1e3, kBeat).calls == 4096);

  // All of a pulse waits in its stream at once.
  CHECK(wanted_beat_ns(100e6) == kBeat);
  CHECK(wanted_beat_ns(4.5e9) == 90e6);
  CHECK(planned(named("bf16"), 8192, std::size_t{40} << 30, 1.5e6, 90e6).batch == 60);

  CHECK(beats_of_window(10e6, 20e9) == 10);
  CHECK(beats_of_window(10e6, 1e9) == 3);
  CHECK(beats_of_window(800e6, 1e9) == 1);
}

TEST_CASE("gpu.burn: operands are nearly normal, and as exact as their format") {
  for (const Format format : {Format::fp64, Format::fp32, Format::tf32, Format::bf16, Format::fp8}) {
    double sum = 0;
    double squares = 0;
    constexpr int kCount = 20000;
    for (std::uint64_t i = 0; i < kCount; ++i) {
      const double x = stored_element(format, 42, i);
      REQUIRE(std::abs(x) <= 2);
      sum += x;
      squares += x * x;
    }
    CHECK(sum / kCount == Approx(0).margin(0.02));
    CHECK(std::sqrt(squares / kCount) == Approx(std::sqrt(1.0 / 3)).epsilon(0.02));
  }
  const double x = stored_element(Format::bf16, 7, 3);
  CHECK(std::bit_cast<std::uint32_t>(static_cast<float>(x)) % 65536 == 0);
  CHECK(std::bit_cast<std::uint32_t>(static_cast<float>(stored_element(Format::tf32, 7, 3))) % 8192 == 0);
}

TEST_CASE("gpu.burn: E4M3 rounds to nearest, ties to even, and keeps its subnormals") {
  for (int bits = 0; bits < 256; ++bits) {
    if ((bits & 0x7f) == 0x7f) continue;  // NaN
    CAPTURE(bits);
    CHECK(to_e4m3(from_e4m3(static_cast<std::uint8_t>(bits))) == bits);
  }
  CHECK(from_e4m3(0x38) == 1.0f);
  CHECK(from_e4m3(0x7e) == 448.0f);
  CHECK(from_e4m3(0x01) == 0x1p-9f);
  CHECK(to_e4m3(1.0625f) == 0x38);   // halfway to 1.125
  CHECK(to_e4m3(1.1875f) == 0x3a);   // halfway between 1.125 and 1.25
  CHECK(to_e4m3(0.0155f) == 0x08);   // rounds up to the least normal number
  CHECK(to_e4m3(0x1p-11f) == 0x00);
  CHECK(to_e4m3(-1.5f) == 0xbc);
}

TEST_CASE("gpu.burn: a reference is the product of the operands, and right products are within its tolerance") {
  for (const Precision& precision : precisions()) {
    CAPTURE(precision.name);
    constexpr std::int64_t kSize = 256;
    const Seeds seeds = seeds_of(1, 0);
    const std::vector<Reference> expected = references(precision, seeds, kSize, 3);
    std::vector<std::uint64_t> found;
    for (std::uint32_t n = 0; n < kReferences; ++n) {
      const Entry entry = entry_at(seeds.entries, n, kSize, 3);
      REQUIRE(entry.product < 3);
      REQUIRE(entry.row < kSize);
      REQUIRE(entry.column < kSize);
      double exact = 0;
      float single = 0;
      for (std::uint64_t k = 0; k < kSize; ++k) {
        const double a = stored_element(precision.in, seeds.a, entry.row * kSize + k);
        const double b = stored_element(precision.in, seeds.b, entry.column * kSize + k);
        exact += a * b;
        single += static_cast<float>(a) * static_cast<float>(b);
      }
      switch (precision.out) {
        case Format::fp64: found.push_back(std::bit_cast<std::uint64_t>(exact)); break;
        case Format::bf16: found.push_back(rounded_bits(single, 16) >> 16); break;
        default: found.push_back(std::bit_cast<std::uint32_t>(single));
      }
    }
    std::size_t first = 0;
    CHECK(count_wrong(precision, found, expected, first) == 0);
    found[100] ^= precision.out == Format::fp64 ? 1ULL << 52 : precision.out == Format::bf16 ? 1ULL << 7 : 1ULL << 23;
    CHECK(count_wrong(precision, found, expected, first) == 1);
    CHECK(first == 100);
    // Counted elsewhere.
    found[100] = precision.out == Format::fp64   ? std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN())
                 : precision.out == Format::bf16 ? 0x7f80
                                                 : std::bit_cast<std::uint32_t>(std::numeric_limits<float>::infinity());
    CHECK(count_wrong(precision, found, expected, first) == 0);
  }
}

TEST_CASE("gpu.burn: most of a GPU's products are right, whichever came first") {
  DigestTally tally;
  tally.add(7);  // wrong, and the first
  for (int i = 0; i < 100; ++i) tally.add(5);
  tally.add(9, 3);
  CHECK(tally.count() == 104);
  CHECK(tally.usual() == 5);
  CHECK(tally.unusual() == 4);
  CHECK(DigestTally{}.count() == 0);
  CHECK(DigestTally{}.unusual() == 0);
}

TEST_CASE("gpu.burn: the majority of GPUs names the one that deviates; two that differ are both named") {
  using enum Standing;
  CHECK(compare({}).empty());
  CHECK(compare(std::vector<std::uint64_t>{1}) == std::vector{agrees});
  CHECK(compare(std::vector<std::uint64_t>{1, 1}) == std::vector{agrees, agrees});
  CHECK(compare(std::vector<std::uint64_t>{1, 2}) == std::vector{contested, contested});
  CHECK(compare(std::vector<std::uint64_t>{1, 2, 1}) == std::vector{agrees, deviates, agrees});
  CHECK(compare(std::vector<std::uint64_t>{1, 2, 3}) == std::vector{contested, contested, contested});
  CHECK(compare(std::vector<std::uint64_t>{1, 2, 2, 1}) == std::vector{contested, contested, contested, contested});
  CHECK(compare(std::vector<std::uint64_t>{3, 2, 3, 3, 4}) == std::vector{agrees, deviates, agrees, agrees, deviates});
}

TEST_CASE("gpu.burn: where two products differ") {
  std::vector<unsigned char> one(64, 7);
  std::vector<unsigned char> other = one;
  CHECK(difference(one, other, 2).entries == 0);
  other[10] ^= 0x80;
  other[33] ^= 0x01;
  const Difference found = difference(one, other, 2);
  CHECK(found.entries == 2);
  CHECK(found.first == 5);
  CHECK(found.found == 0x0707);
  CHECK(found.other == 0x0787);
  CHECK(found.bits == 0x0180);
  CHECK(difference(one, other, 8).first == 1);
}

TEST_CASE("gpu.burn: the warm-up is left out, and what comes late is not") {
  std::vector<double> rates{400, 450, 500, 600};
  rates.insert(rates.end(), 40, 1000.0);
  CHECK(history(rates).estimate().samples.steady);
  CHECK(history(rates).estimate().median == Approx(1000e6));
  CHECK(history(rates).estimate().samples.n <= 44);
  CHECK(history(rates).sustained_percent() == Approx(100));

  rates.insert(rates.end(), 20, 600.0);  // throttled at its end
  const BurnHistory late = history(rates);
  CHECK(late.estimate().median == Approx(1000e6));
  CHECK(late.estimate().samples.worst == Approx(600e6));
  CHECK(late.estimate().samples.steady);
  CHECK(late.sustained_percent() == Approx(60));

  CHECK_FALSE(history({1000, 1000, 1000}).estimate().samples.steady);
  CHECK_FALSE(history(std::vector<double>(11, 1000.0)).estimate().samples.steady);
  CHECK_FALSE(history({1000, 1000, 1000}).sustained_percent().has_value());
}

TEST_CASE("gpu.burn: a GPU's share is of the median of all") {
  CHECK(percent_of_median(std::vector<double>{}).empty());
  CHECK(percent_of_median(std::vector<double>{90, 100, 101})[0] == Approx(90));
  CHECK(percent_of_median(std::vector<double>{50}) == std::vector<double>{100});
}
