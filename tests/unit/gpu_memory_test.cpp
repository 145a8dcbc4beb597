// What gpu.memory writes, how much of it, and what it says of what came back.
#include <catch2/catch.hpp>
#include <map>

#include "checks/gpu/histories.h"
#include "checks/gpu/memory_sizes.h"
#include "checks/gpu/memory_sweeps.h"

using namespace rackproof;

namespace {

constexpr std::size_t kMi = 1 << 20;
constexpr std::size_t kGi = 1 << 30;

History steady(std::size_t samples, std::int64_t amount = 100) {
  return History(samples, Sample{.amount = amount, .nanoseconds = 1000});
}

// What a word holds, as a sweep expects it: only whether it is the complement counts here.
bool is_same(const Pattern& a, const Pattern& b) { return a.kind == b.kind && a.seed == b.seed && a.inverted == b.inverted; }

}  // namespace

TEST_CASE("every sweep expects what the one before it left", "[gpu.memory]") {
  for (std::uint64_t pass = 0; pass < 6; ++pass) {
    const auto sweeps = sweeps_of_pass(pass);
    REQUIRE(sweeps.size() == 14);
    Pattern stands;
    for (std::size_t i = 0; i < sweeps.size(); ++i) {
      INFO("pass " << pass << " sweep " << i);
      if (sweeps[i].act != Sweep::write) CHECK(is_same(sweeps[i].pattern, stands));
      stands = sweeps[i].pattern;
      if (sweeps[i].act == Sweep::invert) stands.inverted = !stands.inverted;
      // Nothing is overwritten unread.
      if (sweeps[i].act == Sweep::write && i > 0) CHECK(sweeps[i - 1].act == Sweep::verify);
    }
    CHECK(sweeps.back().act == Sweep::verify);
  }
}

TEST_CASE("each bit of each word is written as 0 and as 1, upward and downward", "[gpu.memory]") {
  std::map<bool, int> directions;
  for (const Sweep& sweep : sweeps_of_pass(0)) ++directions[sweep.downward];
  CHECK(directions[false] > 0);
  CHECK(directions[true] > 0);
}

TEST_CASE("passes differ in their random words and constants", "[gpu.memory]") {
  const auto seeds = [](std::uint64_t pass) {
    std::vector<std::uint64_t> all;
    for (const Sweep& sweep : sweeps_of_pass(pass)) {
      if (sweep.act == Sweep::write && sweep.pattern.kind != Pattern::own_address) all.push_back(sweep.pattern.seed);
    }
    return all;
  };
  for (std::size_t i = 0; i < seeds(0).size(); ++i) CHECK(seeds(0)[i] != seeds(1)[i]);
  CHECK(seeds(0)[1] == seeds(4)[1]);  // the constants come round again, the random words do not
  CHECK(seeds(0)[0] != seeds(4)[0]);
}

TEST_CASE("mismatches are named with chunk, bits and sweep, each place once", "[gpu.memory]") {
  Mismatches found;
  MismatchRecord record{.count = 2, .bits = 0x21};
  record.named[0] = {.place = 100, .expected = 0xf0, .found = 0xf1};
  record.named[1] = {.place = 600, .expected = 0, .found = 0x20};
  const Sweep sweep{Sweep::verify, {Pattern::constant, 0x5555, true}, true, false};
  found.add(record, sweep);
  found.add(record, sweep);
  CHECK(found.count == 4);
  CHECK(found.named.size() == 2);
  const std::string text = to_text(found, {4096, 4096});
  CHECK(text.find("4 wrong words in memory (bits 0x0000000000000021 over all)") == 0);
  CHECK(text.find("at offset 0x320 (chunk 0 + 0x320) 0x00000000000000f1 instead of 0x00000000000000f0, bits 0x1") !=
        std::string::npos);
  CHECK(text.find("at offset 0x12c0 (chunk 1 + 0x2c0)") != std::string::npos);
  CHECK(text.find("(constant 0x0000000000005555 inverted, downward)") != std::string::npos);
}

TEST_CASE("a record that counts more than it names is read no further than it goes", "[gpu.memory]") {
  Mismatches found;
  MismatchRecord record{.count = 1'000'000, .bits = ~0ULL};
  for (std::uint64_t i = 0; i < kMostMismatches; ++i) record.named[i].place = i;
  found.add(record, {});
  CHECK(found.count == 1'000'000);
  CHECK(found.named.size() == kMostMismatches);
}

TEST_CASE("arrays are far larger than the cache where there is room", "[gpu.memory]") {
  CHECK(array_bytes(79 * kGi, 50 * kMi) == kGi);
  CHECK(is_beyond_cache(kGi, 50 * kMi));
  CHECK(array_bytes(79 * kGi, 300 * kMi) == 1200 * kMi);
  CHECK(array_bytes(128 * kMi, 50 * kMi) == 16 * kMi);
  CHECK_FALSE(is_beyond_cache(16 * kMi, 50 * kMi));
  CHECK(array_bytes(3 * kMi, 50 * kMi) == 0);
}

TEST_CASE("memory is taken in chunks that leave little over", "[gpu.memory]") {
  CHECK(chunk_bytes(75 * kGi) == kGi);
  CHECK(chunk_bytes(121 * kMi) == 6 * kMi);
  CHECK(chunk_bytes(kMi) == kSmallestChunk);
}

TEST_CASE("histories that were taken together end when the last of them is steady", "[gpu.histories]") {
  CHECK_FALSE(steady_estimate(steady(11)));
  REQUIRE(steady_estimate(steady(12)));
  CHECK(steady_estimate(steady(12))->samples.n == 12);
  CHECK(all_are_steady({steady(12), {}, steady(20)}));
  CHECK_FALSE(all_are_steady({steady(12), steady(3)}));
  CHECK(longest_ns({steady(2), steady(5)}) == 5000);
}

TEST_CASE("a history that never became steady is reported as that", "[gpu.histories]") {
  History wild;
  for (int i = 0; i < 40; ++i) wild.push_back({.amount = i % 2 == 0 ? 100 : 300, .nanoseconds = 1000});
  CHECK_FALSE(steady_estimate(wild));
  const Estimate estimate = final_estimate(wild);
  CHECK_FALSE(estimate.samples.steady);
  CHECK(estimate.samples.n > 0);
  CHECK_FALSE(final_estimate(steady(1)).samples.steady);
  CHECK(final_estimate(steady(15)).samples.steady);
}
