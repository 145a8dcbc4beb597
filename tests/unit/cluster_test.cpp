#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/support/fake_cluster.h"

using namespace rackproof;
using namespace rackproof::test;
using Catch::Matchers::Contains;

TEST_CASE("every node climbs, and then the nodes are measured against one another", "[cluster]") {
  Cluster cluster;
  const Run& run = cluster.run();
  CHECK(run.outcome() == Outcome::pass);
  CHECK(cluster.outcomes("answer") == "pass pass pass pass ");
  CHECK(cluster.outcomes("links") == "pass pass pass pass ");
  CHECK(cluster.outcomes("pairs") == "pass pass pass pass ");
  CHECK(cluster.outcome("pairs@fabric") == "pass");
  // The climb, the pairs, and that nothing stays behind.
  REQUIRE(cluster.engine.requests.size() == 3);
  CHECK(cluster.engine.requests[1].rounds.size() == 3);
  CHECK(cluster.engine.requests[2].work == AgentRequest::Work::forget);
}

TEST_CASE("a node that never answers is an error, and the others are judged", "[cluster]") {
  Cluster cluster;
  cluster.engine.ends_by_itself = false;
  cluster.engine.act = [&](FakeEngine::Play& play) {
    if (play.node != "n4") cluster.healthy(play);
  };
  cluster.run();
  CHECK(cluster.outcomes("answer") == "pass pass pass error ");
  CHECK_THAT(cluster.reason("answer@n4"), Contains("did not answer"));
  CHECK(cluster.outcomes("links") == "pass pass pass blocked ");
  CHECK(cluster.outcomes("pairs") == "pass pass pass blocked ");
}

TEST_CASE("a node that goes silent in its climb loses what it had begun, and what it had finished stands", "[cluster]") {
  Step links = step("links", {expect("width >= 1 lanes")});
  Step second = step("second", {expect("rate >= 1 GB/s")});
  second.needs = {"links"};
  Cluster cluster({links, second});
  cluster.engine.ends_by_itself = false;
  cluster.engine.act = [&](FakeEngine::Play& play) {
    play.hello();
    if (play.request.work == AgentRequest::Work::climb) {
      Cluster::climb(play);
      play.say(TrialStarted{"second@" + play.node});
      if (play.node == "n1") return;
      const std::string id = "second@" + play.node;
      play.say(Reported{id, measured("rate", 2, "GB/s"), ""});
      play.say(Reported{id, Done{}, ""});
      play.say(TrialEnded{id, {}});
      play.say(TrialJudged{id, {Outcome::pass, "1 limit held", {}, {}}});
    }
    play.bye();
  };
  cluster.run();
  CHECK(cluster.outcomes("links") == "pass pass pass pass ");
  CHECK(cluster.outcomes("second") == "error pass pass pass ");
  CHECK_THAT(cluster.reason("second@n1"), Contains("went silent"));
}

TEST_CASE("another version or another recipe on a node is a failure of that node", "[cluster]") {
  Cluster cluster;
  cluster.engine.act = [&](FakeEngine::Play& play) {
    if (play.node == "n2") {
      play.hello("0.0.1");
      play.bye();
    } else if (play.node == "n3") {
      play.request.digest = "another";
      play.hello();
      play.bye();
    } else {
      cluster.healthy(play);
    }
  };
  cluster.run();
  CHECK(cluster.outcomes("answer") == "pass fail fail pass ");
  CHECK_THAT(cluster.reason("answer@n2"), Contains("runs rackproof 0.0.1"));
  CHECK_THAT(cluster.reason("answer@n3"), Contains("another recipe"));
  CHECK(cluster.outcomes("links") == "pass blocked blocked pass ");
}

TEST_CASE("a clock that is off is a warning, and does not shift the node's events", "[cluster]") {
  Cluster cluster;
  cluster.engine.act = [&](FakeEngine::Play& play) {
    if (play.node == "n2") play.clock_us = 3'600'000'000;
    cluster.healthy(play);
  };
  const Run& run = cluster.run();
  CHECK(cluster.outcomes("answer") == "pass warn pass pass ");
  CHECK(run.last_us - run.started_us < 60'000'000);
}

TEST_CASE("what is lost on the way is fetched from the node again", "[cluster]") {
  Cluster cluster;
  cluster.engine.dropped_frames = {2};
  int climbs = 0;
  cluster.engine.act = [&](FakeEngine::Play& play) {
    if (play.request.work == AgentRequest::Work::climb && play.node == "n1" && ++climbs == 2) {
      cluster.engine.dropped_frames.clear();
    }
    cluster.healthy(play);
  };
  cluster.engine.dropped_frames = {2};
  const Run& run = cluster.run();
  CHECK(climbs == 2);
  CHECK(run.outcome() == Outcome::pass);
}

TEST_CASE("an engine that takes all agents down with one is started again without it", "[cluster]") {
  Cluster cluster;
  cluster.engine.errors = "engine: lost the node n2";
  cluster.engine.act = [&](FakeEngine::Play& play) {
    const bool is_first = play.launch == 1;
    if (!is_first) return cluster.healthy(play);
    play.hello();
    play.say(TrialStarted{"links@" + play.node});
  };
  cluster.run();
  CHECK(cluster.outcomes("links") == "pass error pass pass ");
  CHECK_THAT(cluster.reason("links@n2"), Contains("lost the node n2"));
}

TEST_CASE("an engine that starts nobody because of one node is asked for fewer until that one stands alone", "[cluster]") {
  Cluster cluster;
  cluster.engine.act = [&](FakeEngine::Play& play) {
    if (std::ranges::count(play.request.nodes, std::string("n3")) == 0) cluster.healthy(play);
  };
  cluster.run();
  CHECK(cluster.outcomes("links") == "pass pass blocked pass ");
}

TEST_CASE("a check that dies in a pair costs its own node, and not the partners", "[cluster]") {
  Cluster cluster;
  cluster.engine.act = [&](FakeEngine::Play& play) {
    if (play.request.work != AgentRequest::Work::span || play.node != "n4") {
      cluster.unreachable = play.request.work == AgentRequest::Work::span ? "n4" : "";
      return cluster.healthy(play);
    }
    play.hello();
    Ending ending;
    ending.how = Ending::How::timed_out;
    ending.code = 15;
    play.trial("pairs@n4", {}, ending);
    play.bye();
  };
  cluster.run();
  CHECK(cluster.outcomes("pairs") == "pass pass pass error ");
  CHECK(cluster.outcome("pairs@fabric") == "pass");
}

TEST_CASE("ranks that could do nothing because one was never started are started again without it", "[cluster]") {
  Cluster cluster;
  int launches = 0;
  cluster.engine.act = [&](FakeEngine::Play& play) {
    const bool is_first = play.request.work == AgentRequest::Work::span && play.request.pass == 0;
    if (!is_first) return cluster.healthy(play);
    cluster.engine.errors = "engine: launch failed on node n4";
    launches += play.rank == 0 ? 1 : 0;
    if (play.node == "n4") return;
    play.hello();
    play.trial("pairs@" + play.node, {Troubled{"no answer in time"}});
    play.bye();
  };
  cluster.run();
  CHECK(launches == 1);
  CHECK(cluster.outcomes("pairs") == "pass pass pass error ");
  CHECK_THAT(cluster.reason("pairs@n4"), Contains("launch failed on node n4"));
}

TEST_CASE("a step that spans nodes needs two that passed", "[cluster]") {
  Cluster cluster;
  cluster.engine.act = [&](FakeEngine::Play& play) {
    if (play.node == "n1" || play.request.work != AgentRequest::Work::climb) return cluster.healthy(play);
    play.hello("0.0.1");
    play.bye();
  };
  cluster.run();
  CHECK(cluster.outcome("pairs@n1") == "error");
  CHECK(cluster.outcome("pairs@fabric") == "blocked");
}

TEST_CASE("a run on many nodes refuses what it cannot plan", "[cluster]") {
  const std::vector<ClusterNode> nodes{{.name = "a", .host = "a"}};
  Recipe recipe;
  recipe.steps = {pairs_step(), step("after")};
  recipe.steps[0].needs.clear();
  recipe.steps[1].needs = {"pairs"};
  CHECK_THROWS_AS(with_answer(recipe, nodes), InputError);
  recipe.steps = {step("answer")};
  CHECK_THROWS_AS(with_answer(recipe, nodes), InputError);
  recipe.steps = {step("links")};
  CHECK_THROWS_AS(with_answer(recipe, {{.name = "fabric", .host = "fabric"}}), InputError);
}
