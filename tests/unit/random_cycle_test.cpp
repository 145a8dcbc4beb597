// A pointer chase comes by every cell once before it repeats.
#include "checks/gpu/random_cycle.h"

#include <catch2/catch.hpp>
#include <set>

using namespace rackproof;

TEST_CASE("a random cycle comes by every cell once, and ends where it began", "[chase]") {
  for (const std::size_t cells : {2u, 3u, 64u, 1000u}) {
    const auto cycle = random_cycle(cells, 7);
    REQUIRE(cycle.size() == cells * kCycleStrideWords);
    std::set<std::uint64_t> seen;
    std::uint64_t at = 0;
    for (std::size_t i = 0; i < cells; ++i) {
      REQUIRE(at % kCycleStrideWords == 0);
      REQUIRE(seen.insert(at).second);
      at = cycle[at];
    }
    CHECK(at == 0);
  }
}

TEST_CASE("a cycle follows from its seed", "[chase]") {
  CHECK(random_cycle(100, 1) == random_cycle(100, 1));
  CHECK(random_cycle(100, 1) != random_cycle(100, 2));
}

TEST_CASE("where steps lead is counted around the cycle", "[chase]") {
  const auto cycle = random_cycle(50, 3);
  CHECK(place_after(cycle, 0) == 0);
  CHECK(place_after(cycle, 1) == cycle[0]);
  CHECK(place_after(cycle, 50) == 0);
  CHECK(place_after(cycle, 101) == cycle[0]);
}

TEST_CASE("steps a second become time a step, with the longest as the worst", "[chase]") {
  Estimate estimate;
  estimate.median = 2e6;
  estimate.samples = {.n = 12, .low = 1.9e6, .high = 2.5e6, .worst = 1e6, .steady = true};
  const Measurement time = to_step_time(estimate, "latency", "pci:0000:17:00.0");
  CHECK(time.value == Approx(500));
  CHECK(time.samples->low == Approx(400));
  CHECK(time.samples->high == Approx(526.3).epsilon(0.001));
  CHECK(time.samples->worst == Approx(1000));
  CHECK(time.unit == "ns");
}
