#include "graphs/bisection.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <random>

using namespace rackproof;
using Group = Bisection::Group;

namespace {

Group range(std::size_t from, std::size_t to) {
  Group group(to - from);
  std::iota(group.begin(), group.end(), from);
  return group;
}

struct Ended {
  Group bad;
  std::size_t rounds = 0;
  std::vector<std::size_t> sizes;
};

// Runs what is asked until nothing is, and holds each round to having no node twice.
Ended run(Bisection& bisection, const std::function<bool(const Group&)>& passes) {
  Ended ended;
  while (!bisection.next().empty()) {
    REQUIRE(++ended.rounds < 200);
    std::set<std::size_t> busy;
    std::vector<bool> passed;
    for (const Group& group : bisection.next()) {
      for (const std::size_t node : group) REQUIRE(busy.insert(node).second);
      ended.sizes.push_back(group.size());
      passed.push_back(passes(group));
    }
    bisection.took(passed);
  }
  for (const auto& one : bisection.bad()) ended.bad.push_back(one.node);
  std::sort(ended.bad.begin(), ended.bad.end());
  return ended;
}

auto fails_with(const Group& bad) {
  return [bad](const Group& group) {
    return std::none_of(group.begin(), group.end(),
                        [&](std::size_t node) { return std::find(bad.begin(), bad.end(), node) != bad.end(); });
  };
}

std::size_t ceil_log2(std::size_t n) {
  std::size_t bits = 0;
  while ((std::size_t{1} << bits) < n) ++bits;
  return bits;
}

}  // namespace

TEST_CASE("bisection: each single bad node of a group is found, within the bound") {
  for (const std::size_t size : {2, 3, 4, 7, 8, 16, 29, 64, 232}) {
    for (std::size_t bad = 0; bad < size; ++bad) {
      Bisection bisection({range(0, size)}, {range(size, 2 * size)});
      const Ended ended = run(bisection, fails_with({bad}));
      INFO(size << " nodes, bad is " << bad);
      CHECK(ended.bad == Group{bad});
      CHECK(bisection.runs() <= ceil_log2(size) + 1);
      CHECK(bisection.interactions().empty());
      CHECK(!bisection.was_short());
      for (const std::size_t one : ended.sizes) CHECK(one == size);
    }
  }
}

TEST_CASE("bisection: several bad nodes in several groups are found at once, within the bound") {
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t size = 2 + random() % 40;
    std::vector<Group> groups;
    for (std::size_t i = 0; i < 8; ++i) groups.push_back(range(i * size, (i + 1) * size));
    std::set<std::size_t> bad;
    for (std::size_t i = 0; i < 1 + random() % 4; ++i) bad.insert(random() % (4 * size));
    const Group all_bad(bad.begin(), bad.end());
    const auto passes = fails_with(all_bad);
    std::vector<Group> failed;
    std::vector<Group> passed;
    for (const Group& group : groups) (passes(group) ? passed : failed).push_back(group);
    Bisection bisection(failed, passed);
    const Ended ended = run(bisection, passes);
    INFO("trial " << trial);
    CHECK(ended.bad == all_bad);
    CHECK(bisection.runs() <= bad.size() * (ceil_log2(size) + 1));
    CHECK(bisection.interactions().empty());
    // At once: no more rounds than the group with the most bad nodes takes by itself.
    CHECK(ended.rounds <= bad.size() * (ceil_log2(size) + 1));
  }
  Bisection four({range(0, 16), range(16, 32), range(32, 48), range(48, 64)}, {range(64, 256)});
  const Ended ended = run(four, fails_with({3, 20, 37, 63}));
  CHECK(ended.bad == Group{3, 20, 37, 63});
  CHECK(ended.rounds <= 5);
}

TEST_CASE("bisection: without any known-good node smaller groups are run, and that is told") {
  for (std::size_t bad = 0; bad < 16; ++bad) {
    Bisection bisection({range(0, 16)}, {});
    const Ended ended = run(bisection, fails_with({bad}));
    INFO(bad);
    CHECK(bisection.was_short());
    CHECK(bisection.runs() <= 5 + 2);
    // The one that nobody good is left to be run with is in the set that is told instead.
    if (ended.bad.empty()) {
      REQUIRE(bisection.undecided().size() == 1);
      CHECK(std::count(bisection.undecided()[0].begin(), bisection.undecided()[0].end(), bad) == 1);
    } else {
      CHECK(ended.bad == Group{bad});
    }
  }
  Bisection two({{0, 1}}, {});
  CHECK(two.next().empty());
  CHECK(two.undecided() == std::vector<Group>{{0, 1}});
  CHECK(two.sentences({"a", "b"}) ==
        std::vector<std::string>{"at least one of a and b: there is no known-good node to run one of them with"});
}

TEST_CASE("bisection: when every half passes it is an interaction, and nobody is called bad") {
  for (std::size_t one = 0; one < 16; ++one) {
    for (std::size_t other = one + 1; other < 16; ++other) {
      Bisection bisection({range(0, 16)}, {range(16, 48)});
      const Ended ended = run(bisection, [&](const Group& group) {
        return !(std::count(group.begin(), group.end(), one) == 1 &&
                 std::count(group.begin(), group.end(), other) == 1);
      });
      INFO(one << " with " << other);
      if (ended.bad.empty()) {
        REQUIRE(bisection.interactions().size() == 1);
        const Group& set = bisection.interactions()[0];
        CHECK(std::count(set.begin(), set.end(), one) == 1);
        CHECK(std::count(set.begin(), set.end(), other) == 1);
      } else {
        // One side of it, without which its group passes; it is not said to have been seen.
        REQUIRE(ended.bad.size() == 1);
        CHECK((ended.bad[0] == one || ended.bad[0] == other));
        CHECK(!bisection.bad()[0].seen);
      }
    }
  }
  Bisection by_size({range(0, 8)}, {});
  run(by_size, [](const Group& group) { return group.size() < 8; });
  CHECK(by_size.bad().empty());
  REQUIRE(by_size.interactions().size() == 1);
  CHECK_THAT(by_size.sentences({"a", "b", "c", "d", "e", "f", "g", "h"}).at(0),
             Catch::Contains("an interaction, or a matter of size"));
}

TEST_CASE("bisection: whoever passed elsewhere is not suspected; a group of such only is an interaction") {
  Bisection some({range(0, 8)}, {range(1, 8)});
  const Ended ended = run(some, fails_with({0}));
  CHECK(ended.bad == Group{0});
  CHECK(some.runs() == 1);
  Bisection none({range(0, 8)}, {range(0, 10)});
  CHECK(none.next().empty());
  CHECK(none.interactions() == std::vector<Group>{range(0, 8)});
}

TEST_CASE("bisection: nothing failed, nothing is run; an outcome is needed for each group") {
  Bisection nothing({}, {range(0, 8)});
  CHECK(nothing.next().empty());
  Bisection one({range(0, 8)}, {range(8, 16)});
  CHECK_THROWS(one.took({}));
  CHECK(one.sentences({}).empty());
}
