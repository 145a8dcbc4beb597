// A run on many nodes with all of the controller and nothing of an engine: what each node says is played.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "runner/cluster_plan.h"
#include "runner/cluster_run.h"
#include "runner/run_folder.h"
#include "tests/support/fake_engine.h"
#include "tests/support/runs.h"

namespace rackproof::test {

inline const std::vector<std::string> kFour{"n1", "n2", "n3", "n4"};

inline constexpr std::int64_t kRounds = 3;

inline Step pairs_step() {
  Step pairs = step("pairs", {expect("reached == 1"), expect("shortfall(rate) <= 5 %")});
  pairs.metrics.push_back({"reached", "count", "exact"});
  pairs.span = Span{};
  pairs.span->rounds = kRounds;
  pairs.needs = {"links"};
  return pairs;
}

// A run of "links" on each node and "pairs" between them.
class Cluster {
 public:
  explicit Cluster(std::vector<Step> steps = {step("links", {expect("width >= 1 lanes")}), pairs_step()},
                   std::vector<std::string> names = kFour) {
    char pattern[] = "/tmp/rackproof-cluster-XXXXXX";
    folder_ = ::mkdtemp(pattern);
    recipe_.name = "test";
    recipe_.layers = {"test"};
    recipe_.steps = std::move(steps);
    for (const std::string& name : names) nodes.push_back({.name = name, .host = name, .leaf = "leaf1"});
    engine.act = [this](FakeEngine::Play& play) { healthy(play); };
  }
  ~Cluster() { std::filesystem::remove_all(folder_); }

  void healthy(FakeEngine::Play& play) const {
    play.hello();
    if (play.request.work == AgentRequest::Work::climb) climb(play);
    if (play.request.work == AgentRequest::Work::span) span(play);
    play.bye();
  }

  static void climb(FakeEngine::Play& play) {
    const std::string id = "links@" + play.node;
    play.trial(id, {measured("width", 16, "lanes", "pci:1"), Done{}});
    play.say(TrialJudged{id, {Outcome::pass, "1 limit held", {}, {}}});
  }

  // What a rank measures towards each partner in each of its rounds.
  void span(FakeEngine::Play& play) const {
    std::vector<Report> reports;
    for (std::size_t round = 0; round < play.request.rounds.size(); ++round) {
      for (const RankGroup& group : play.request.rounds[round]) {
        if (std::ranges::count(group, play.rank) == 0 || (once && static_cast<std::int64_t>(round) >= kRounds)) continue;
        for (const std::size_t member : group) {
          if (member != play.rank) measure(reports, play.node, play.request.nodes[member], static_cast<std::int64_t>(round));
        }
      }
    }
    if (!simulated.empty()) reports.insert(reports.begin(), Simulated{simulated});
    reports.emplace_back(Done{});
    play.trial(play.request.step + "@" + play.node, reports);
  }

  void measure(std::vector<Report>& reports, const std::string& from, const std::string& to, std::int64_t round) const {
    const std::string id = "path:" + from + ">" + to;
    reports.emplace_back(Device{.id = id, .kind = "path", .name = "", .parent = "", .facts = {{"from", from}, {"to", to}, {"round", round}}});
    const bool is_reached = from != unreachable && to != unreachable;
    reports.emplace_back(measured("reached", is_reached ? 1 : 0, "count", id));
    if (!is_reached) return;
    const bool is_slow = from == slow || to == slow || (from == slow_path.first && to == slow_path.second);
    const double rate = is_slow ? slow_rate : 10.0;
    Measurement measurement = measured("rate", rate, "GB/s", id);
    const bool is_steady = !scatters && from != unsteady && to != unsteady;
    if (!is_steady) measurement.samples = Samples{12, 0.5 * rate, 1.5 * rate, 0.4 * rate, false};
    reports.emplace_back(measurement);
  }

  Run& run() {
    Recipe recipe = with_answer(recipe_, nodes);
    std::vector<std::string> names;
    for (const ClusterNode& node : nodes) names.push_back(node.name);
    PreparedRun prepared = prepare_cluster(recipe, names, {"test-1", "head", folder_ + "/run", {}});
    AgentRequest common;
    common.run = "test-1";
    common.digest = "d";
    ClusterRun cluster(prepared.run, nodes, engine, *prepared.journal, common,
                       {.answers_within = std::chrono::milliseconds{200}, .silent_for = std::chrono::milliseconds{200}},
                       [this](const std::vector<std::size_t>&, const AgentRequest& request) { return engine.launch_for(request); },
                       [](const Event*, const Run&) {});
    cluster.execute();
    run_ = std::move(prepared.run);
    return run_;
  }

  std::string outcome(const std::string& trial) const {
    const TrialRecord* record = run_.find_trial(trial);
    if (record == nullptr || !record->verdict) return "none";
    return std::string(to_text(record->verdict->outcome));
  }
  std::string reason(const std::string& trial) const { return run_.find_trial(trial)->verdict->reason; }
  std::string outcomes(const std::string& step) const {
    std::string text;
    for (const ClusterNode& node : nodes) text += outcome(step + "@" + node.name) + " ";
    return text;
  }

  // As it stands in the journal.
  Run read() const { return read_run(folder_ + "/run").run; }

  FakeEngine engine;
  std::vector<ClusterNode> nodes;
  std::string slow;
  double slow_rate = 1;
  bool once = false;  // whether nothing comes of a second pass
  std::pair<std::string, std::string> slow_path;  // from, to
  bool scatters = false;  // figures that are known badly, and never became steady
  std::string unsteady;   // the same of all that one node sends and receives
  std::string unreachable;
  std::string simulated;  // by what, if it is

 private:
  Recipe recipe_;
  std::string folder_;
  Run run_;
};

}  // namespace rackproof::test
