#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>

#include "graphs/result_graph.h"
#include "tests/support/fake_cluster.h"

using namespace rackproof;
using namespace rackproof::test;
using Catch::Matchers::Contains;

TEST_CASE("a slow node is named after a second pass, and no other", "[cluster]") {
  Cluster cluster;
  cluster.slow = "n3";
  cluster.run();
  CHECK(cluster.outcomes("pairs") == "pass pass fail pass ");
  CHECK(cluster.outcome("pairs@fabric") == "pass");
  CHECK_THAT(cluster.reason("pairs@n3"), Contains("n3"));
}

TEST_CASE("a node at a tenth is named however much the figures scatter, and such figures clear nobody", "[cluster]") {
  Cluster cluster;
  cluster.slow = "n3";
  cluster.scatters = true;
  cluster.run();
  CHECK(cluster.outcomes("pairs") == "error error fail error ");
  CHECK(cluster.reason("pairs@n1") == "no steady rate of what it sends or receives (test.yaml:1:1)");
}

TEST_CASE("a node without a steady figure passes no comparison, and the others are compared", "[cluster]") {
  Cluster cluster;
  cluster.unsteady = "n2";
  cluster.run();
  CHECK(cluster.outcomes("pairs") == "pass error pass pass ");
  CHECK(cluster.outcome("pairs@fabric") == "pass");
}

TEST_CASE("two nodes cannot be compared", "[cluster]") {
  Cluster cluster({step("links", {expect("width >= 1 lanes")}), pairs_step()}, {"n1", "n2"});
  cluster.run();
  CHECK(cluster.outcomes("pairs") == "error error ");
  CHECK_THAT(cluster.reason("pairs@n1"), Contains("among 2 nodes, it takes 3: only a limit of its own"));
}

TEST_CASE("what nobody measured is an error on every node and on the fabric", "[cluster]") {
  Step pairs = pairs_step();
  pairs.metrics.push_back({"other", "GB/s", "higher"});
  pairs.expectations = {expect("shortfall(other) <= 5 %")};
  Cluster cluster({step("links", {expect("width >= 1 lanes")}), pairs});
  cluster.run();
  CHECK(cluster.outcomes("pairs") == "error error error error ");
  CHECK(cluster.outcome("pairs@fabric") == "error");
}

TEST_CASE("figures with a node that is none of the run are judged like any other", "[cluster]") {
  Step pairs = pairs_step();
  pairs.expectations = {expect("rate >= 5 GB/s")};
  Cluster cluster({step("links", {expect("width >= 1 lanes")}), pairs});
  cluster.engine.act = [&](FakeEngine::Play& play) {
    if (play.request.work != AgentRequest::Work::span || play.node != "n2") return cluster.healthy(play);
    play.hello();
    std::vector<Report> reports;
    cluster.slow = "n2";
    cluster.measure(reports, "n2", "elsewhere", 0);
    cluster.slow = "";
    cluster.measure(reports, "n2", "n1", 0);
    reports.emplace_back(Done{});
    play.trial("pairs@n2", reports);
    play.bye();
  };
  cluster.run();
  CHECK(cluster.outcomes("pairs") == "pass fail pass pass ");
}

TEST_CASE("what is skipped on every node is skipped on the fabric", "[cluster]") {
  Step pairs = pairs_step();
  pairs.optional = true;
  Cluster cluster({step("links", {expect("width >= 1 lanes")}), pairs});
  cluster.engine.act = [&](FakeEngine::Play& play) {
    if (play.request.work != AgentRequest::Work::span) return cluster.healthy(play);
    play.hello();
    play.trial("pairs@" + play.node, {Skipped{"no GPU here"}});
    play.bye();
  };
  cluster.run();
  CHECK(cluster.outcomes("pairs") == "skip skip skip skip ");
  CHECK(cluster.outcome("pairs@fabric") == "skip");
  CHECK(cluster.reason("pairs@fabric") == "skipped on every node: no GPU here");
}

TEST_CASE("what was simulated between nodes is simulated on the fabric too", "[cluster]") {
  Cluster cluster;
  cluster.simulated = "hgx-h100-8";
  const Run& run = cluster.run();
  CHECK(run.find_trial("pairs@fabric")->simulated() == "hgx-h100-8");
}

TEST_CASE("a node that nobody reaches is named, and no other", "[cluster]") {
  Cluster cluster;
  cluster.unreachable = "n2";
  cluster.run();
  CHECK(cluster.outcome("pairs@n2") != "pass");
  CHECK(cluster.outcome("pairs@n1") == "pass");
  CHECK(cluster.outcome("pairs@n3") == "pass");
}

TEST_CASE("more bad nodes than may be blamed are one finding on what they share", "[cluster]") {
  Step pairs = pairs_step();
  pairs.expectations = {expect("reached == 1"), expect("rate >= 20 GB/s")};
  Cluster cluster({step("links", {expect("width >= 1 lanes")}), pairs});
  cluster.run();
  CHECK(cluster.outcome("pairs@fabric") == "fail");
  CHECK_THAT(cluster.reason("pairs@fabric"), Contains("what they share"));
  // Each of them missed the limit: nobody is blamed for it, and nobody has passed.
  CHECK(cluster.outcomes("pairs") == "error error error error ");
}

TEST_CASE("a limit that is but preferred does not hide one that many nodes miss", "[cluster]") {
  Step pairs = pairs_step();
  Expectation preferred = expect("rate >= 30 GB/s");
  preferred.prefer = true;
  pairs.expectations = {preferred, expect("rate >= 20 GB/s")};
  for (const std::vector<std::string>& names : {kFour, {"n1", "n2"}}) {
    Cluster cluster({step("links", {expect("width >= 1 lanes")}), pairs}, names);
    cluster.run();
    CHECK(cluster.outcome("pairs@fabric") == "fail");
    for (const std::string& name : names) CHECK(cluster.outcome("pairs@" + name) == "error");
  }
}

TEST_CASE("one of four that is well below the others is blamed once it is so again, and has not passed before", "[cluster]") {
  Cluster twice;
  twice.slow = "n2";
  twice.slow_rate = 8.9;
  twice.run();
  CHECK(twice.outcomes("pairs") == "pass fail pass pass ");
  CHECK_THAT(twice.reason("pairs@n2"), Contains("measured twice"));

  Cluster once;
  once.slow = "n2";
  once.slow_rate = 8.9;
  once.once = true;
  once.run();
  CHECK(once.outcomes("pairs") == "pass error pass pass ");
  CHECK_THAT(once.reason("pairs@n2"), Contains("more nodes or steadier figures would tell"));
}

TEST_CASE("of two nodes that fall short together neither has passed", "[cluster]") {
  Step pairs = pairs_step();
  pairs.expectations = {expect("rate >= 20 GB/s")};
  Cluster cluster({step("links", {expect("width >= 1 lanes")}), pairs}, {"n1", "n2"});
  cluster.run();
  CHECK(cluster.outcome("pairs@n1") == "error");
  CHECK(cluster.outcome("pairs@n2") == "error");
  CHECK_THAT(cluster.reason("pairs@n1"), Contains("it may be the other's"));
  CHECK(cluster.outcome("pairs@fabric") == "fail");
}

TEST_CASE("a path that is to blame is one device, which the graph's edge leads to", "[cluster]") {
  Step pairs = pairs_step();
  pairs.expectations = {expect("rate >= 5 GB/s")};
  Cluster cluster({step("links", {expect("width >= 1 lanes")}), pairs});
  cluster.slow_path = {"n1", "n2"};
  cluster.run();
  CHECK(cluster.outcomes("pairs") == "pass pass pass pass ");
  CHECK(cluster.outcome("pairs@fabric") == "fail");

  const Run run = cluster.read();
  const ResultGraph result = fold(run);
  std::vector<std::string> blamed;
  for (const auto& edge : boost::make_iterator_range(boost::edges(result.graph))) {
    if (result.graph[edge].kind == EdgeKind::blames) blamed.emplace_back(result.graph[boost::target(edge, result.graph)].path);
  }
  CHECK(blamed == std::vector<std::string>{"n1/device/path:n1>n2"});
}

namespace {

// Four nodes as one group, of which the first speaks; each counts its own errors.
struct Group {
  Group() {
    Step all = step("all", {expect("rate >= 5 GB/s"), expect("errors == 0")});
    all.span = *parse_span("all");
    cluster.emplace(std::vector<Step>{all});
    cluster->engine.act = [this](FakeEngine::Play& play) {
      play.hello();
      if (play.request.work == AgentRequest::Work::span) {
        std::vector<Report> reports;
        if (play.rank == 0) speak(play, reports);
        if (play.node != mute) reports.emplace_back(measured("errors", play.node == wrong ? 3 : 0, "count", "gpu:0"));
        reports.emplace_back(Done{});
        play.trial("all@" + play.node, reports);
      }
      play.bye();
    };
  }

  void speak(const FakeEngine::Play& play, std::vector<Report>& reports) const {
    for (std::size_t round = 0; round < play.request.rounds.size(); ++round) {
      for (const RankGroup& group : play.request.rounds[round]) {
        if (group.front() != play.rank) continue;
        std::string members;
        for (const std::size_t rank : group) members += (members.empty() ? "" : ",") + play.request.nodes[rank];
        const std::string id = "group:" + std::to_string(round) + ":" + members;
        reports.emplace_back(Device{.id = id, .kind = "group", .name = "", .parent = "",
                                    .facts = {{"members", members}, {"round", static_cast<std::int64_t>(round)}}});
        if (has_figures) reports.emplace_back(measured("rate", rate, "GB/s", id));
        if (counts_for_all) reports.emplace_back(measured("errors", 0, "count", id));
      }
    }
  }

  std::optional<Cluster> cluster;
  std::string wrong;  // counts errors of its own
  std::string mute;   // counts nothing
  double rate = 10;
  bool has_figures = true;
  bool counts_for_all = false;  // the first counts the errors of the group
};

}  // namespace

TEST_CASE("the first of a group speaks for the others, and each for what it measured itself", "[cluster]") {
  Group group;
  group.wrong = "n3";
  group.mute = "n4";
  group.counts_for_all = true;
  group.cluster->run();
  CHECK(group.cluster->outcomes("all") == "pass pass fail pass ");
}

TEST_CASE("where a group falls short and it cannot be told by whom, none of it has passed", "[cluster]") {
  Group group;
  group.rate = 3;
  group.counts_for_all = true;
  group.cluster->run();
  CHECK(group.cluster->outcomes("all") == "error error error error ");
  CHECK_THAT(group.cluster->reason("all@n2"), Contains("it may be another's of that group"));
  CHECK(group.cluster->outcome("all@fabric") == "fail");
}

TEST_CASE("what neither a node nor the first of its group measured is no evidence", "[cluster]") {
  Group group;
  group.mute = "n2";
  group.cluster->run();
  CHECK(group.cluster->outcomes("all") == "pass error pass pass ");
}

TEST_CASE("a group of which nothing was measured passes nobody", "[cluster]") {
  Group group;
  group.has_figures = false;
  group.cluster->run();
  CHECK(group.cluster->outcomes("all") == "error error error error ");
}
