#include <catch2/catch.hpp>

#include <chrono>
#include <set>

#include "runner/pairing.h"

using namespace rackproof;

namespace {

std::vector<NodePlace> places(std::size_t nodes, std::size_t per_leaf) {
  std::vector<NodePlace> all;
  for (std::size_t i = 0; i < nodes; ++i) {
    all.push_back({"n" + std::to_string(i), per_leaf == 0 ? "" : "leaf" + std::to_string(i / per_leaf), ""});
  }
  return all;
}

struct Counted {
  std::size_t rounds = 0, repeats = 0, twice_in_a_round = 0, most_resting = 0;
  std::vector<std::size_t> inside;  // pairs on one leaf, a round
  std::vector<std::size_t> across;
};

Counted count(const std::vector<NodePlace>& all, const Rounds& rounds) {
  Counted counted;
  std::set<std::pair<std::size_t, std::size_t>> met;
  for (const auto& round : rounds) {
    ++counted.rounds;
    std::set<std::size_t> busy;
    std::size_t inside = 0;
    for (const auto& pair : round) {
      REQUIRE(pair.size() == 2);
      const std::size_t one = std::min(pair[0], pair[1]);
      const std::size_t other = std::max(pair[0], pair[1]);
      if (one == other || !met.insert({one, other}).second) ++counted.repeats;
      for (const std::size_t node : pair) {
        if (!busy.insert(node).second) ++counted.twice_in_a_round;
      }
      if (!all[one].leaf.empty() && all[one].leaf == all[other].leaf) ++inside;
    }
    counted.inside.push_back(inside);
    counted.across.push_back(round.size() - inside);
    counted.most_resting = std::max(counted.most_resting, all.size() - busy.size());
  }
  return counted;
}

}  // namespace

TEST_CASE("pairing: no pair meets twice and nobody rests but the odd one, whatever the number and the leaves") {
  for (const std::size_t per_leaf : {0, 1, 2, 3, 4, 5, 8, 16, 40}) {
    for (std::size_t nodes = 2; nodes <= 70; ++nodes) {
      for (const std::uint64_t seed : {0, 7}) {
        const auto all = places(nodes, per_leaf);
        const Counted counted = count(all, pairing(all, {.seed = seed}));
        INFO(nodes << " nodes, " << per_leaf << " a leaf, seed " << seed);
        CHECK(counted.repeats == 0);
        CHECK(counted.twice_in_a_round == 0);
        CHECK(counted.most_resting <= (per_leaf <= 1 || nodes % per_leaf == 0 ? nodes % 2 : nodes % 2 + 2));
        CHECK(counted.rounds == std::min<std::size_t>(5, nodes + nodes % 2 - 1));
      }
    }
  }
}

TEST_CASE("pairing: n-1 rounds are all pairs") {
  for (const std::size_t nodes : {2, 4, 16, 30}) {
    for (const std::size_t per_leaf : {0, 2, 4}) {
      const auto all = places(nodes, per_leaf);
      const Counted counted = count(all, pairing(all, {.rounds = 1000}));
      INFO(nodes << " nodes, " << per_leaf << " a leaf");
      CHECK(counted.repeats == 0);
      CHECK(counted.rounds == nodes - 1);
      CHECK(counted.most_resting == 0);
    }
  }
  const auto four = places(4, 0);
  CHECK(pairing(four, {.rounds = 3}).size() == 3);
}

TEST_CASE("pairing: of five rounds two are inside leaves and three across, each of them to another leaf") {
  const auto all = places(128, 16);
  const Rounds rounds = pairing(all, {});
  const Counted counted = count(all, rounds);
  CHECK(counted.inside == std::vector<std::size_t>{0, 64, 0, 64, 0});
  CHECK(counted.across == std::vector<std::size_t>{64, 0, 64, 0, 64});
  std::vector<std::set<std::string>> leaves_met(all.size());
  for (const auto& round : rounds) {
    for (const auto& pair : round) {
      leaves_met[pair[0]].insert(all[pair[1]].leaf);
      leaves_met[pair[1]].insert(all[pair[0]].leaf);
    }
  }
  for (const auto& met : leaves_met) CHECK(met.size() == 4);  // its own and three others
}

TEST_CASE("pairing: within a leaf or a rack nobody else is met, and who is not known to be there rests") {
  auto all = places(24, 4);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].rack = i < 12 ? "r1" : "r2";
  all[23].leaf.clear();
  for (const auto& round : pairing(all, {.within = Within::leaf})) {
    for (const auto& pair : round) {
      CHECK(all[pair[0]].leaf == all[pair[1]].leaf);
      CHECK(!all[pair[0]].leaf.empty());
    }
  }
  CHECK(pairing(all, {.within = Within::leaf}).size() == 3);
  all[23].leaf = "leaf5";
  all[0].rack.clear();
  const Rounds in_racks = pairing(all, {.within = Within::rack});
  CHECK(in_racks.size() == 5);
  std::set<bool> crossing;
  for (const auto& round : in_racks) {
    for (const auto& pair : round) {
      CHECK(all[pair[0]].rack == all[pair[1]].rack);
      CHECK(!all[pair[0]].rack.empty());
      crossing.insert(all[pair[0]].leaf != all[pair[1]].leaf);
    }
  }
  CHECK(crossing.size() == 2);
}

TEST_CASE("pairing: groups are consecutive at first, hold everybody, and are reshuffled from round to round") {
  const auto all = places(64, 16);
  const Rounds rounds = pairing(all, {.on = Meeting::groups, .rounds = 3, .group = 8});
  REQUIRE(rounds.size() == 3);
  CHECK(rounds[0][0] == std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(rounds[0][7].front() == 56);
  std::set<std::vector<std::size_t>> different;
  for (const auto& round : rounds) {
    CHECK(round.size() == 8);
    std::set<std::size_t> members;
    for (const auto& group : round) {
      CHECK(group.size() == 8);
      CHECK(std::is_sorted(group.begin(), group.end()));
      members.insert(group.begin(), group.end());
      different.insert(group);
    }
    CHECK(members.size() == 64);
  }
  CHECK(different.size() == 24);
}

TEST_CASE("pairing: what is left over is a group of its own, or joins the last") {
  const auto sizes = [](std::size_t nodes, std::size_t group) {
    std::vector<std::size_t> found;
    const Rounds rounds = pairing(places(nodes, 0), {.on = Meeting::rings, .rounds = 1, .group = group});
    for (const auto& one : rounds.at(0)) found.push_back(one.size());
    return found;
  };
  CHECK(sizes(10, 4) == std::vector<std::size_t>{4, 4, 2});
  CHECK(sizes(9, 4) == std::vector<std::size_t>{4, 5});
  CHECK(sizes(3, 8) == std::vector<std::size_t>{3});
  CHECK(sizes(12, 0) == std::vector<std::size_t>{12});
}

TEST_CASE("pairing: all are one group; one node alone is none; leaves that are interleaved are put in order") {
  CHECK(pairing(places(5, 2), {.on = Meeting::all, .rounds = 2, .group = 2}) ==
        Rounds{{{0, 1, 2, 3, 4}}, {{0, 1, 2, 3, 4}}});
  CHECK(pairing(places(1, 0), {}).empty());
  CHECK(pairing({}, {}).empty());
  std::vector<NodePlace> mixed;
  for (std::size_t i = 0; i < 8; ++i) mixed.push_back({"n" + std::to_string(i), i % 2 == 0 ? "even" : "odd", ""});
  CHECK(pairing(mixed, {.on = Meeting::groups, .rounds = 1, .group = 4}) == Rounds{{{0, 2, 4, 6}, {1, 3, 5, 7}}});
}

TEST_CASE("pairing: the same seed gives the same plan, another seed another") {
  const auto all = places(64, 16);
  CHECK(pairing(all, {.seed = 3}) == pairing(all, {.seed = 3}));
  CHECK(pairing(all, {.seed = 3}) != pairing(all, {.seed = 4}));
}

TEST_CASE("pairing: 16,384 nodes are planned in no time") {
  const auto all = places(16384, 32);
  const auto start = std::chrono::steady_clock::now();
  const Counted counted = count(all, pairing(all, {}));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
  CHECK(counted.repeats == 0);
  CHECK(counted.most_resting == 0);
}
