#include "graphs/fleet_second_pass.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

using namespace rackproof;

namespace {

using Spoil = std::function<double(std::size_t from, std::size_t to)>;

std::vector<FleetNode> fleet_of(std::size_t count, std::size_t per_leaf) {
  std::vector<FleetNode> nodes;
  for (std::size_t i = 0; i < count; ++i) {
    nodes.push_back({"n" + std::to_string(i), per_leaf == 0 ? "" : "leaf" + std::to_string(i / per_leaf), {}});
  }
  return nodes;
}

std::vector<PathValue> measured(const std::vector<std::vector<std::vector<std::size_t>>>& rounds, const Spoil& spoil) {
  std::vector<PathValue> values;
  for (const auto& round : rounds) {
    for (const auto& pair : round) {
      for (const auto& [from, to] : {std::pair(pair[0], pair[1]), std::pair(pair[1], pair[0])}) {
        const double share = spoil(from, to);
        values.push_back({from, to, "", 100 * share, 0, share > 0});
      }
    }
  }
  return values;
}

// All pairs.
std::vector<PathValue> all_paths(std::size_t count, const Spoil& spoil) {
  std::vector<std::vector<std::size_t>> round;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = i + 1; j < count; ++j) round.push_back({i, j});
  }
  return measured({round}, spoil);
}

std::vector<Suspicion> both_passes(const std::vector<FleetNode>& nodes, const Spoil& first, const Spoil& second) {
  const FleetFinding finding = analyse(nodes, all_paths(nodes.size(), first));
  REQUIRE(!finding.suspicions.empty());
  return confirmed(finding, nodes, measured(confirmation_pairs(finding, nodes), second));
}

Spoil node(std::size_t bad, double left) {
  return [=](std::size_t from, std::size_t to) { return from == bad || to == bad ? left : 1.0; };
}
double fine(std::size_t, std::size_t) { return 1; }

}  // namespace

TEST_CASE("second pass: each suspect meets three different good nodes, nobody twice in a round") {
  const auto nodes = fleet_of(32, 8);
  const auto bad = [](std::size_t i) { return i == 3 || i == 9 || i == 10 || i == 20; };
  const FleetFinding finding =
      analyse(nodes, all_paths(32, [&](std::size_t from, std::size_t to) { return bad(from) || bad(to) ? 0.5 : 1.0; }));
  REQUIRE(finding.suspicions.size() == 4);
  const auto rounds = confirmation_pairs(finding, nodes);
  CHECK(rounds.size() == 3);
  std::map<std::size_t, std::set<std::size_t>> met;
  for (const auto& round : rounds) {
    std::set<std::size_t> busy;
    for (const auto& pair : round) {
      REQUIRE(pair.size() == 2);
      CHECK(busy.insert(pair[0]).second);
      CHECK(busy.insert(pair[1]).second);
      CHECK(!(bad(pair[0]) && bad(pair[1])));
      CHECK(met[pair[0]].insert(pair[1]).second);
      CHECK(met[pair[1]].insert(pair[0]).second);
    }
  }
  for (const std::size_t suspect : {3, 9, 10, 20}) CHECK(met[suspect].size() == 3);
}

TEST_CASE("second pass: with few good nodes all of them are met, in more rounds") {
  const auto nodes = fleet_of(4, 0);
  const FleetFinding finding = analyse(nodes, all_paths(4, node(1, 0.1)));
  REQUIRE(finding.suspicions.size() == 1);
  const auto rounds = confirmation_pairs(finding, nodes);
  CHECK(rounds.size() == 3);
  CHECK(confirmation_pairs(analyse(nodes, all_paths(4, fine)), nodes).empty());
}

TEST_CASE("second pass: what persists is kept with its figures, what does not is dropped") {
  const auto nodes = fleet_of(16, 4);
  const auto kept = both_passes(nodes, node(5, 0.5), node(5, 0.6));
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].part == Part::node);
  CHECK(kept[0].names == std::vector<std::string>{"n5"});
  CHECK(kept[0].shortfall == Approx(0.4).margin(0.01));
  CHECK_THAT(kept[0].sentence,
             Catch::StartsWith("n5 sends and receives 40 % below") && Catch::EndsWith("measured twice"));
  CHECK(both_passes(nodes, node(5, 0.5), fine).empty());
  CHECK(both_passes(nodes, node(5, 0.5), node(5, 0.9)).empty());  // a fifth of it is not the same fault
  CHECK(both_passes(nodes, node(5, 0), node(5, 0)).at(0).shortfall == 1);
}

TEST_CASE("second pass: a fabric that carries less for all does not bear a suspicion out") {
  const auto nodes = fleet_of(16, 0);
  CHECK(both_passes(nodes, node(5, 0.5), [](std::size_t, std::size_t) { return 0.5; }).empty());
}

TEST_CASE("second pass: one direction, a path, a leaf's uplinks") {
  const auto nodes = fleet_of(32, 8);
  const Spoil receives = [](std::size_t, std::size_t to) { return to == 7 ? 0.5 : 1.0; };
  CHECK(both_passes(nodes, receives, receives).at(0).part == Part::receives);
  const Spoil path = [](std::size_t from, std::size_t to) { return from == 7 && to == 11 ? 0.5 : 1.0; };
  const auto kept = both_passes(nodes, path, path);
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].part == Part::path);
  CHECK(kept[0].names == std::vector<std::string>{"n7", "n11"});
  CHECK(both_passes(nodes, path, fine).empty());
  const Spoil uplink = [](std::size_t from, std::size_t to) {
    return from / 8 != to / 8 && (from / 8 == 2 || to / 8 == 2) ? 0.5 : 1.0;
  };
  const auto leaf = both_passes(nodes, uplink, uplink);
  REQUIRE(leaf.size() == 1);
  CHECK(leaf[0].part == Part::leaf);
  CHECK(leaf[0].names == std::vector<std::string>{"leaf2"});
  CHECK(both_passes(nodes, uplink, fine).empty());
}

TEST_CASE("second pass: of a leaf whose paths are low in part these paths are measured again") {
  const auto nodes = fleet_of(32, 8);
  const Spoil some = [](std::size_t from, std::size_t to) {
    const bool crosses = from / 8 != to / 8 && (from / 8 == 2 || to / 8 == 2);
    return crosses && (from + 3 * to) % 8 == 0 ? 0.5 : 1.0;
  };
  const auto kept = both_passes(nodes, some, some);
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].part == Part::leaf);
  CHECK(kept[0].names == std::vector<std::string>{"leaf2"});
  CHECK(!kept[0].some.empty());
  CHECK(both_passes(nodes, some, fine).empty());
}

TEST_CASE("second pass: a pair of which it could not be told becomes the node or the path") {
  const auto nodes = fleet_of(8, 0);
  const auto one_round = [](const Spoil& spoil) { return measured({{{0, 1}, {2, 3}, {4, 5}, {6, 7}}}, spoil); };
  const auto passes = [&](const Spoil& spoil) {
    const FleetFinding finding = analyse(nodes, one_round(spoil));
    REQUIRE(finding.suspicions.size() == 1);
    REQUIRE(finding.suspicions[0].part == Part::pair);
    return confirmed(finding, nodes, measured(confirmation_pairs(finding, nodes), spoil));
  };
  const auto is_node = passes(node(1, 0.3));
  REQUIRE(is_node.size() == 1);
  CHECK(is_node[0].part == Part::node);
  CHECK(is_node[0].names == std::vector<std::string>{"n1"});
  const auto is_path = passes([](std::size_t from, std::size_t to) { return from + to == 1 ? 0.3 : 1.0; });
  REQUIRE(is_path.size() == 1);
  CHECK(is_path[0].part == Part::path);
}

TEST_CASE("second pass: what so few nodes could not tell is told once it shows again, and dropped where it does not") {
  const auto slow = [](std::size_t from, std::size_t to) { return from == 2 || to == 2 ? 0.9 : 1; };
  for (const std::size_t count : {3, 4}) {
    const auto nodes = fleet_of(count, 0);
    REQUIRE(!analyse(nodes, all_paths(count, slow)).suspicions.at(0).sure);
    const auto kept = both_passes(nodes, slow, slow);
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].sure);
    CHECK(kept[0].nodes == std::vector<std::size_t>{2});
    CHECK_THAT(kept[0].sentence, Catch::EndsWith("measured twice"));
    CHECK(both_passes(nodes, slow, [](auto, auto) { return 1.0; }).empty());
  }
}

TEST_CASE("second pass: a single path is measured twice more, and low once of these is chance") {
  const auto nodes = fleet_of(16, 0);
  const auto low = [](std::size_t from, std::size_t to) { return from == 3 && to == 9 ? 0.7 : 1; };
  const FleetFinding finding = analyse(nodes, all_paths(16, low));
  const auto rounds = confirmation_pairs(finding, nodes);
  std::size_t meetings = 0;
  for (const auto& round : rounds) meetings += static_cast<std::size_t>(std::ranges::count(round, std::vector<std::size_t>{3, 9}));
  CHECK(meetings == 2);
  std::size_t times = 0;
  const auto once = [&](std::size_t from, std::size_t to) { return from == 3 && to == 9 && ++times == 1 ? 0.7 : 1; };
  CHECK(confirmed(finding, nodes, measured(rounds, once)).empty());
  CHECK(confirmed(finding, nodes, measured(rounds, low)).size() == 1);
}

TEST_CASE("second pass: who was not measured again is not cleared") {
  const auto nodes = fleet_of(16, 0);
  const auto slow = [](std::size_t from, std::size_t to) { return from == 2 || to == 2 ? 0.5 : 1; };
  const FleetFinding finding = analyse(nodes, all_paths(16, slow));
  const auto others_alone = measured({{{4, 5}, {6, 7}}}, [](auto, auto) { return 1.0; });
  const auto kept = confirmed(finding, nodes, others_alone);
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].sentence == finding.suspicions.at(0).sentence);
}

TEST_CASE("second pass: only what remains after it counts for how many may each be bad") {
  const auto nodes = fleet_of(6, 0);
  const auto two = [](std::size_t from, std::size_t to) { return from == 1 || to == 1 || from == 2 || to == 2 ? 0.7 : 1; };
  FleetFinding finding = analyse(nodes, all_paths(6, two));
  CHECK(capped(finding, nodes).suspicions.at(0).part == Part::common);
  const auto one = [](std::size_t from, std::size_t to) { return from == 1 || to == 1 ? 0.7 : 1; };
  finding.suspicions = confirmed(finding, nodes, measured(confirmation_pairs(finding, nodes), one));
  finding = capped(finding, nodes);
  REQUIRE(finding.suspicions.size() == 1);
  CHECK(finding.suspicions[0].part == Part::node);
  CHECK(finding.suspicions[0].nodes == std::vector<std::size_t>{1});
}
