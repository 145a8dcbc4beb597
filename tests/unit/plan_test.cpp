#include "runner/plan.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <set>

#include "tests/support/runs.h"

using namespace rackproof;
using rackproof::test::step;

namespace {

Step needing(const std::string& id, std::vector<std::string> needs, std::vector<std::string> claims = {"node"}) {
  Step one = step(id);
  one.needs = std::move(needs);
  one.claims = std::move(claims);
  return one;
}

// Runs a plan whose trials all come to `outcome`, and gives the order of their starts.
std::vector<std::string> order_of(Plan plan, Outcome outcome = Outcome::pass) {
  std::vector<std::string> order;
  while (plan.anything_left()) {
    while (const auto blocked = plan.next_blocked()) plan.ended(*blocked, Outcome::blocked);
    const auto next = plan.next_to_start();
    if (!next) break;
    order.push_back(plan.trials()[*next].id);
    plan.started(*next);
    plan.ended(*next, outcome);
  }
  return order;
}

}  // namespace

TEST_CASE("steps run in recipe order, each after what it needs") {
  const std::vector<Step> steps = needs_first({needing("c", {"b"}), needing("a", {}), needing("b", {"a"})});
  CHECK(order_of(Plan(steps, {"n"})) == std::vector<std::string>{"a@n", "b@n", "c@n"});
}

TEST_CASE("every node climbs by itself") {
  const std::vector<Step> steps{needing("a", {}), needing("b", {"a"})};
  Plan plan(steps, {"n1", "n2"});
  const auto first = plan.next_to_start();
  plan.started(*first);
  const auto second = plan.next_to_start();
  REQUIRE(second);
  CHECK(plan.trials()[*second].id == "a@n2");
}

TEST_CASE("what needs a trial that did not pass is blocked, and all above it; others go on") {
  for (const Outcome bad : {Outcome::fail, Outcome::error, Outcome::blocked}) {
    const std::vector<Step> steps{needing("a", {}), needing("b", {"a"}), needing("c", {"b"}), needing("d", {})};
    Plan plan(steps, {"n"});
    plan.started(*plan.next_to_start());
    plan.ended(0, bad);
    CHECK(plan.next_blocked() == 1);
    plan.ended(1, Outcome::blocked);
    CHECK(plan.next_blocked() == 2);
    plan.ended(2, Outcome::blocked);
    CHECK_FALSE(plan.next_blocked());
    CHECK(plan.next_to_start() == 3);
  }
}

TEST_CASE("info, skip, pass and warn let others start") {
  for (const Outcome good : {Outcome::skip, Outcome::info, Outcome::pass, Outcome::warn}) {
    CHECK(order_of(Plan({needing("a", {}), needing("b", {"a"})}, {"n"}), good).size() == 2);
  }
}

TEST_CASE("claims keep apart what would measure one another") {
  const std::vector<Step> steps{needing("a", {}, {"disk"}), needing("b", {}, {"disk"}), needing("c", {}, {"gpu"}),
                                needing("d", {})};
  Plan plan(steps, {"n"});
  CHECK(plan.next_to_start() == 0);
  plan.started(0);
  CHECK_FALSE(plan.next_to_start());  // b waits for the disk, and nothing overtakes it
  plan.ended(0, Outcome::pass);
  plan.started(*plan.next_to_start());
  CHECK(plan.next_to_start() == 2);
  plan.started(2);
  CHECK_FALSE(plan.next_to_start());  // d claims the whole node
  plan.ended(1, Outcome::pass);
  CHECK_FALSE(plan.next_to_start());
  plan.ended(2, Outcome::pass);
  CHECK(plan.next_to_start() == 3);
}

TEST_CASE("a circle that reached the plan is a defect, not an endless loop") {
  CHECK_THROWS(needs_first({needing("a", {"b"}), needing("b", {"a"})}));
}
