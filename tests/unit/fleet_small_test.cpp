#include "graphs/fleet.h"

#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/support/simulated_fleet.h"

using namespace rackproof;
using namespace rackproof::test;

TEST_CASE("fleet: nobody of a healthy fleet is accused, large or small, and its level is told") {
  for (const std::size_t count : {2, 3, 4, 5, 8, 16, 64, 256}) {
    for (const double noise : {0.001, 0.01, 0.03}) {
      for (unsigned seed = 1; seed <= 40; ++seed) {
        INFO(count << " nodes, noise " << noise << ", seed " << seed);
        const FleetFinding finding = Fleet(count, 0, fine, noise, 5, {""}, seed).found();
        CHECK(said(finding) == Said{});
        REQUIRE(finding.levels.size() == 1);
        CHECK(finding.levels[0].value == Approx(100).epsilon(4 * noise));
      }
    }
  }
}

TEST_CASE("fleet: nobody of 1,024 is accused, whatever the many paths happen to show") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    CHECK(said(Fleet(1024, 32, fine, 0.03, 5, {""}, seed).found()) == Said{});
  }
}

TEST_CASE("fleet: one node of four at a tenth is named, and no other") {
  for (const std::size_t per_leaf : {0, 2, 4}) {
    for (std::size_t bad = 0; bad < 4; ++bad) {
      for (unsigned seed = 1; seed <= 20; ++seed) {
        const Fleet fleet(
            4, per_leaf, [&](auto from, auto to, auto&) { return from == bad || to == bad ? 0.1 : 1; }, 0.03, 3, {""},
            seed);
        FleetFinding finding = fleet.found();
        std::erase_if(finding.suspicions, [](const Suspicion& one) { return !one.sure; });
        INFO(per_leaf << " a leaf, " << bad << ", seed " << seed);
        REQUIRE(said(finding) == Said{"node " + Fleet::name(bad)});
        CHECK(finding.suspicions[0].shortfall == Approx(0.9).margin(0.02));
      }
    }
  }
}

TEST_CASE("fleet: two nodes: it cannot be told which") {
  CHECK(said(Fleet(2, 0, [](auto from, auto, auto&) { return from == 0 ? 0.1 : 1; }).found()) ==
        Said{"pair rp01 rp02"});
  const auto dead = Fleet(2, 0, [](auto, auto, auto&) { return 0; }).found();
  REQUIRE(said(dead) == Said{"pair rp01 rp02"});
  CHECK_THAT(dead.suspicions[0].sentence, Catch::Contains("one of them or the path"));
  const std::vector<std::string> rails{"mlx5_0", "mlx5_1", "mlx5_2", "mlx5_3"};
  CHECK(said(Fleet(
                 2, 0, [](auto, auto, auto& rail) { return rail == "mlx5_1" ? 0.4 : 1; }, 0.01, 5, rails)
                 .found()) == Said{"pair rp01 rp02 mlx5_1"});
  // One round of many nodes: the same.
  CHECK(said(Fleet(
                 16, 0, [](auto from, auto to, auto&) { return from == 0 || to == 0 ? 0.5 : 1; }, 0.01, 1)
                 .found())
            .at(0)
            .substr(0, 4) == "pair");
}

TEST_CASE("fleet: of three nodes the slow one is named, or the slow path") {
  CHECK(said(Fleet(3, 0, [](auto from, auto to, auto&) { return from == 2 || to == 2 ? 0.1 : 1; }).found()) ==
        Said{"node rp03"});
  CHECK(said(Fleet(3, 0, [](auto from, auto to, auto&) { return from != 2 && to != 2 ? 0.1 : 1; }).found()) ==
        Said{"path rp01 rp02"});
}

TEST_CASE("fleet: more bad nodes than the cap allows are one finding, with what they share") {
  Fleet fleet(
      16, 0, [](auto from, auto to, auto&) { return from < 6 || to < 6 ? 0.5 : 1; }, 0.01, 15);
  for (std::size_t i = 0; i < 16; ++i) fleet.nodes[i].facts = {{"firmware", i < 6 ? "28.39" : "28.43"}, {"board", "A"}};
  const FleetFinding finding = fleet.found();
  REQUIRE(said(finding) == Said{"common rp01 rp02 rp03 rp04 rp05 rp06"});
  CHECK_THAT(finding.suspicions[0].sentence, Catch::StartsWith("6 of 16 nodes are low"));
  REQUIRE(!finding.facts.empty());
  CHECK(finding.facts.back() == "all 6 that are low have firmware 28.39, and nobody else");
  CHECK(fleet.found({.max_blamed = 0.4}).suspicions.size() == 6);
}

TEST_CASE("fleet: one far below all others is named, however many others are a little low") {
  const auto spoil = [](auto from, auto to, auto&) {
    const double share = from == 1 || to == 1 ? 0.8 : 1;
    return from == 0 || to == 0 ? 0.1 : share;
  };
  for (const std::size_t count : {3, 4, 5, 6, 7, 8, 12}) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
      INFO(count << " nodes, seed " << seed);
      std::vector<std::string> named;
      for (const Suspicion& one : Fleet(count, 0, spoil, 0.01, 5, {""}, seed).found().suspicions) {
        if (one.sure && one.part != Part::common) named.insert(named.end(), one.names.begin(), one.names.end());
      }
      CHECK(std::ranges::count(named, "rp01") == 1);
      // The cap holds for both of them.
      CHECK(named.size() <= std::max<std::size_t>(1, count / 4));
    }
  }
  const FleetFinding finding = Fleet(6, 0, spoil).found();
  REQUIRE(said(finding) == Said{"common rp02", "node rp01"});
  CHECK_THAT(finding.suspicions[1].sentence, Catch::StartsWith("1 of the other 5 nodes is low, up to 20 % below"));
}

TEST_CASE("fleet: of very few nodes one that is well below the others is not cleared, and not yet blamed") {
  const auto spoil = [](auto from, auto to, auto&) { return from == 1 || to == 1 ? 0.9 : 1; };
  for (const std::size_t count : {3, 4}) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
      INFO(count << " nodes, seed " << seed);
      const FleetFinding finding = Fleet(count, 0, spoil, 0.01, 5, {""}, seed).found();
      REQUIRE(said(finding) == Said{"node rp02?"});
      CHECK_THAT(finding.suspicions[0].sentence, Catch::EndsWith("as far as so few nodes tell"));
      // What it spoils of the others is no spread of theirs.
      CHECK(finding.deviation < 0.03);
    }
  }
}

TEST_CASE("fleet: many low paths do not hide a node that is low") {
  // Of 8 nodes the last is at a tenth, and three pairs of the others are low where but two may be.
  const auto spoil = [](auto from, auto to, auto&) {
    if (from == 7 || to == 7) return 0.1;
    return from < 6 && from / 2 == to / 2 ? 0.6 : 1.0;
  };
  CHECK(said(Fleet(8, 0, spoil, 0.01, 7).found({.max_blamed = 0.1})) ==
        Said{"common rp01 rp02 rp03 rp04 rp05 rp06", "node rp08"});
}
