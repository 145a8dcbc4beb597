#include "graphs/fleet.h"

#include <catch2/catch.hpp>

#include <chrono>

#include "tests/support/simulated_fleet.h"

using namespace rackproof;
using namespace rackproof::test;

TEST_CASE("fleet: a sentence says who, which way, how far and from how much") {
  const FleetFinding finding = Fleet(16, 0, [](auto, auto to, auto&) { return to == 2 ? 0.11 : 1; }).found();
  REQUIRE(said(finding) == Said{"receives rp03"});
  const Suspicion& one = finding.suspicions[0];
  CHECK_THAT(one.sentence, Catch::StartsWith("rp03 receives 89 % below what the fleet carries, over 5 partners (z "));
  CHECK(one.paths == 5);
  CHECK(one.z > 50);
  CHECK(!one.outward);
  CHECK(one.inward);
}

TEST_CASE("fleet: both directions low is the node, one direction that side") {
  CHECK(said(Fleet(16, 0, [](auto from, auto to, auto&) { return from == 5 || to == 5 ? 0.9 : 1; }).found()) ==
        Said{"node rp06"});
  CHECK(said(Fleet(16, 0, [](auto from, auto, auto&) { return from == 5 ? 0.9 : 1; }).found()) == Said{"sends rp06"});
  CHECK(said(Fleet(16, 0, [](auto, auto to, auto&) { return to == 5 ? 0.9 : 1; }).found()) == Said{"receives rp06"});
  // Far worse one way than the other: still the node.
  CHECK(said(Fleet(16, 0, [](auto from, auto to, auto&) {
               return from == 5 ? 0.8 : to == 5 ? 0.2 : 1;
             }).found()) == Said{"node rp06"});
}

TEST_CASE("fleet: a rail of one node, one way of it, and all rails of it") {
  const std::vector<std::string> rails{"mlx5_0", "mlx5_1", "mlx5_2", "mlx5_3"};
  const auto one =
      Fleet(
          16, 4, [](auto from, auto to, auto& rail) { return (from == 3 || to == 3) && rail == "mlx5_2" ? 0.6 : 1; },
          0.01, 5, rails)
          .found();
  CHECK(said(one) == Said{"rail rp04 mlx5_2"});
  CHECK_THAT(one.suspicions.at(0).sentence,
             Catch::StartsWith("rp04's mlx5_2 sends and receives 4") &&
                 Catch::Contains("% below what that rail carries elsewhere, over 5 partners"));
  const auto way =
      Fleet(
          16, 4, [](auto from, auto, auto& rail) { return from == 3 && rail == "mlx5_2" ? 0.6 : 1; }, 0.01, 5, rails)
          .found();
  CHECK(said(way) == Said{"rail rp04 mlx5_2"});
  CHECK(!way.suspicions.at(0).inward);
  CHECK(said(Fleet(
                 16, 4, [](auto from, auto to, auto&) { return from == 3 || to == 3 ? 0.6 : 1; }, 0.01, 5, rails)
                 .found()) == Said{"node rp04"});
  // A rail that is slower everywhere is no node's fault; it is told.
  const auto fleet_wide = Fleet(
                              16, 4, [](auto, auto, auto& rail) { return rail == "mlx5_1" ? 0.5 : 1; }, 0.01, 5, rails)
                              .found();
  CHECK(said(fleet_wide) == Said{});
  REQUIRE(fleet_wide.facts.size() == 1);
  CHECK_THAT(fleet_wide.facts[0], Catch::StartsWith("mlx5_1 is 50 % below the other rails"));
}

TEST_CASE("fleet: what crosses a leaf's uplinks is low and what stays inside is not: its uplinks") {
  const auto leaf = [](std::size_t node) { return node / 8; };
  const auto cross = Fleet(64, 8, [&](auto from, auto to, auto&) {
                       return leaf(from) != leaf(to) && (leaf(from) == 2 || leaf(to) == 2) ? 0.7 : 1;
                     }).found();
  REQUIRE(said(cross) == Said{"leaf leaf3"});
  CHECK(cross.suspicions[0].only_across);
  CHECK(cross.suspicions[0].nodes.size() == 8);
  CHECK_THAT(cross.suspicions[0].sentence, Catch::StartsWith("what leaf3 exchanges with other leaves is 30 % below"));

  const auto out = Fleet(64, 8, [&](auto from, auto to, auto&) {
                     return leaf(from) != leaf(to) && leaf(from) == 2 ? 0.7 : 1;
                   }).found();
  REQUIRE(said(out) == Said{"leaf leaf3"});
  CHECK(out.suspicions[0].outward);
  CHECK(!out.suspicions[0].inward);

  const auto whole =
      Fleet(64, 8, [&](auto from, auto to, auto&) { return leaf(from) == 2 || leaf(to) == 2 ? 0.7 : 1; }).found();
  REQUIRE(said(whole) == Said{"leaf leaf3"});
  CHECK(!whole.suspicions[0].only_across);

  // Two leaves: which end it is cannot be told.
  const auto two =
      Fleet(16, 8, [&](auto from, auto to, auto&) { return leaf(from) == 0 && leaf(to) == 1 ? 0.7 : 1; }).found();
  CHECK(said(two) == Said{"leaf leaf1 leaf2"});
}

TEST_CASE("fleet: two bad nodes of a leaf's three are two nodes, three of three are the leaf") {
  const auto up_to = [](std::size_t last) {
    return said(Fleet(24, 3, [=](auto from, auto to, auto&) {
      const auto bad = [&](std::size_t node) { return node >= 3 && node <= last; };
      return bad(from) || bad(to) ? 0.5 : 1;
    }).found());
  };
  CHECK(up_to(4) == Said{"node rp04", "node rp05"});
  CHECK(up_to(5) == Said{"leaf leaf2"});
}

TEST_CASE("fleet: leaves that are slower between one another than inside are no fault, and are told") {
  const auto finding = Fleet(64, 8, [](auto from, auto to, auto&) { return from / 8 != to / 8 ? 0.5 : 1; }).found();
  CHECK(said(finding) == Said{});
  REQUIRE(finding.facts.size() == 1);
  CHECK_THAT(finding.facts[0], Catch::StartsWith("between leaves it is 50 % below what it is inside them"));
}

TEST_CASE("fleet: some paths of a leaf are low, from different nodes: one of its uplinks") {
  const auto finding = Fleet(128, 16, [](auto from, auto to, auto&) {
                         if (from / 16 == to / 16) return 1.0;
                         const auto here = from / 16 == 3 ? from : to / 16 == 3 ? to : 0;
                         return here % 4 == 1 && std::max(from, to) % 3 == 0 ? 0.5 : 1.0;
                       }).found();
  REQUIRE(said(finding) == Said{"leaf leaf4"});
  CHECK_THAT(finding.suspicions[0].sentence, Catch::EndsWith("one of its uplinks"));
}

TEST_CASE("fleet: one pair low between two good nodes is a path; a failed one too") {
  for (const double left : {0.5, 0.0}) {
    const auto both = Fleet(
                          16, 0,
                          [&](auto from, auto to, auto&) {
                            return std::minmax(from, to) == std::minmax<std::size_t>(2, 13) ? left : 1;
                          },
                          0.01, 15)
                          .found();
    REQUIRE(said(both) == Said{"path rp03 rp14"});
    CHECK(both.suspicions[0].inward);
    const auto one = Fleet(
                         16, 0, [&](auto from, auto to, auto&) { return from == 13 && to == 2 ? left : 1; }, 0.01, 15)
                         .found();
    REQUIRE(said(one) == Said{"path rp14 rp03"});
    CHECK(!one.suspicions[0].inward);
    CHECK(one.suspicions[0].shortfall == Approx(1 - left).margin(0.03));
  }
}

TEST_CASE("fleet: a node that nobody reaches is named, its partners are not") {
  for (const std::size_t count : {3, 4, 16, 64}) {
    const Fleet fleet(count, 0, [](auto from, auto to, auto&) { return from == 1 || to == 1 ? 0 : 1; });
    const FleetFinding finding = fleet.found();
    INFO(count);
    REQUIRE(said(finding) == Said{"node rp02"});
    CHECK(finding.suspicions[0].shortfall == 1);
    CHECK_THAT(finding.suspicions[0].sentence, Catch::Contains("neither reached nor was reached by any of its"));
  }
}

TEST_CASE("fleet: several faults at once are told apart, and none smears onto partners") {
  const auto finding = Fleet(64, 8, [](auto from, auto to, auto&) {
                         double share = 1;
                         if (from == 10 || to == 10) share = std::min(share, 0.1);
                         if (to == 33) share = std::min(share, 0.85);
                         if (from / 8 != to / 8 && (from / 8 == 6 || to / 8 == 6)) share = std::min(share, 0.6);
                         if (from == 20 || to == 20) share = 0;
                         return share;
                       }).found();
  CHECK(said(finding) == Said{"leaf leaf7", "node rp11", "node rp21", "receives rp34"});
  // Every second partner is bad, too.
  for (unsigned seed = 1; seed <= 10; ++seed) {
    CHECK(said(Fleet(
                   16, 0, [](auto from, auto to, auto&) { return from < 4 || to < 4 ? 0.3 : 1; }, 0.02, 5, {""}, seed)
                   .found()) == Said{"node rp01", "node rp02", "node rp03", "node rp04"});
  }
}

TEST_CASE("fleet: only worse is a fault, and only from the least share on") {
  CHECK(said(Fleet(64, 0, [](auto from, auto to, auto&) { return from == 5 || to == 5 ? 1.5 : 1; }).found()) == Said{});
  const auto slightly = [](auto from, auto to, auto&) { return from == 5 || to == 5 ? 0.98 : 1; };
  CHECK(said(Fleet(64, 0, slightly, 0.0005).found({.repeatability = 0.0005})) == Said{});
  CHECK(said(Fleet(64, 0, slightly, 0.0005).found({.least = 0.01, .repeatability = 0.0005})) == Said{"node rp06"});
}

TEST_CASE("fleet: nothing finer is believed than how well values repeat") {
  const auto slower = [](auto from, auto to, auto&) { return from == 5 || to == 5 ? 0.9 : 1; };
  Fleet fleet(16, 0, slower, 0.001);
  CHECK(said(fleet.found()) == Said{"node rp06"});
  CHECK(said(fleet.found({.repeatability = 0.1})) == Said{});
  for (PathValue& value : fleet.values) value.spread = 0.1;
  CHECK(said(fleet.found()) == Said{});
}

TEST_CASE("fleet: latency is better low") {
  Fleet fleet(16, 0, [](auto from, auto to, auto&) { return from == 5 || to == 5 ? 2.0 : 1; });
  const FleetFinding finding = fleet.found({.higher_is_better = false});
  REQUIRE(said(finding) == Said{"node rp06"});
  CHECK(finding.suspicions[0].shortfall == Approx(0.5).margin(0.02));
  CHECK_THAT(finding.suspicions[0].sentence,
             Catch::Matches("rp06 takes (1.9|2.0). times what the fleet takes, over 5 partners .*",
                            Catch::CaseSensitive::Yes));
  CHECK(said(fleet.found()) == Said{});
}

TEST_CASE("fleet: the order of the values is of no matter, and what is no value is left out") {
  Fleet fleet(16, 4, [](auto from, auto to, auto&) { return from == 5 || to == 5 ? 0.7 : 1; });
  const FleetFinding before = fleet.found();
  std::reverse(fleet.values.begin(), fleet.values.end());
  fleet.values.push_back({1, 2, "", -4});
  fleet.values.push_back({1, 2, "", std::nan("")});
  fleet.values.push_back({1, 1, "", 3});
  fleet.values.push_back({1, 99, "", 3});
  const FleetFinding after = fleet.found();
  REQUIRE(said(after) == said(before));
  CHECK(after.suspicions[0].sentence == before.suspicions[0].sentence);
  CHECK(analyse({}, {}).suspicions.empty());
  CHECK(analyse({{"a", "", {}}, {"b", "", {}}}, {}).unmeasured == std::vector<std::size_t>{0, 1});
}

TEST_CASE("fleet: a low path is accounted for by the suspicion that it passes") {
  const Fleet fleet(64, 8, [](auto from, auto to, auto&) {
    return to == 5 ? 0.5 : from / 8 != to / 8 && (from / 8 == 6 || to / 8 == 6) ? 0.6 : 1;
  });
  const FleetFinding finding = fleet.found();
  REQUIRE(said(finding) == Said{"leaf leaf7", "receives rp06"});
  REQUIRE(accounts_for(finding, fleet.nodes, 1, 5) != nullptr);
  CHECK(accounts_for(finding, fleet.nodes, 1, 5)->part == Part::receives);
  CHECK(accounts_for(finding, fleet.nodes, 5, 1) == nullptr);
  REQUIRE(accounts_for(finding, fleet.nodes, 49, 1) != nullptr);
  CHECK(accounts_for(finding, fleet.nodes, 49, 1)->part == Part::leaf);
  CHECK(accounts_for(finding, fleet.nodes, 49, 50) == nullptr);
}

TEST_CASE("fleet: 16,384 nodes of five rounds are analysed in a second or two") {
  const Fleet fleet(16384, 32, [](auto from, auto to, auto&) { return from % 1000 == 5 || to % 1000 == 5 ? 0.8 : 1; });
  const auto start = std::chrono::steady_clock::now();
  const FleetFinding finding = fleet.found();
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));  // under sanitizers
  CHECK(finding.suspicions.size() == 17);
}
