// How the controller takes the journals of very many nodes that arrive at once: all of them over one pipe, as an engine
// gives them, each node's events in frames, the nodes mixed. Prints time, memory and events, and fails if one is lacking.
//
//   rackproof_many_journals [NODES [TRIALS [REPORTS]]]     10000 10 20
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "runner/clock.h"
#include "runner/cluster_plan.h"
#include "runner/cluster_run.h"
#include "runner/frames.h"
#include "runner/local_launcher.h"
#include "runner/version.h"

using namespace rackproof;
namespace fs = std::filesystem;

namespace {

struct Load {
  std::size_t nodes = 10'000;
  std::size_t trials = 10;
  std::size_t reports = 20;
};

std::string step_name(std::size_t trial) { return fmt::format("step{}", trial); }

// What stands in for all agents: each node's events, node by node within each trial, so that none is heard without a break.
int send(const Load& load) {
  const AgentRequest request = agent_request_from_environment();
  std::vector<FrameWriter> writers;
  for (std::size_t rank = 0; rank < request.nodes.size(); ++rank) writers.emplace_back(STDOUT_FILENO, rank);
  const auto each = [&](const auto& say) {
    for (std::size_t rank = 0; rank < writers.size(); ++rank) {
      const auto event = [&](EventBody body) {
        writers[rank].send(encode(Event{now_us(), request.nodes[rank], std::move(body)}));
      };
      say(rank, event);
    }
  };
  const auto word = [&](AgentWord::Kind kind) {
    for (FrameWriter& writer : writers) writer.send(encode(AgentWord{kind, now_us(), kVersion, request.digest, ""}));
  };
  word(AgentWord::Kind::hello);
  if (request.work == AgentRequest::Work::climb) {
    for (std::size_t trial = 0; trial < load.trials; ++trial) {
      const auto id = [&](std::size_t rank) { return fmt::format("{}@{}", step_name(trial), request.nodes[rank]); };
      each([&](std::size_t rank, const auto& event) { event(TrialStarted{id(rank)}); });
      for (std::size_t report = 0; report < load.reports; ++report) {
        each([&](std::size_t rank, const auto& event) {
          event(Reported{id(rank), Measurement{.metric = "rate", .device = fmt::format("pci:0000:{:02x}:00.0", report),
                                               .value = 25.5, .unit = "GB/s", .samples = Samples{12, 25, 26, 24.5, true},
                                               .counted = {}}, ""});
        });
      }
      each([&](std::size_t rank, const auto& event) {
        event(Reported{id(rank), Done{}, ""});
        event(TrialEnded{id(rank), {}});
        event(TrialJudged{id(rank), {Outcome::pass, "1 limit held", {}, {}}});
      });
    }
  }
  word(AgentWord::Kind::bye);
  return 0;
}

Recipe recipe_of(const Load& load) {
  Recipe recipe;
  recipe.name = "many";
  recipe.layers = {"all"};
  for (std::size_t i = 0; i < load.trials; ++i) {
    Step step;
    step.id = step_name(i);
    step.check = "bench.check";
    step.layer = "all";
    step.metrics = {{"rate", "GB/s", "higher"}};
    if (i > 0) step.needs = {step_name(i - 1)};
    recipe.steps.push_back(std::move(step));
  }
  return recipe;
}

std::size_t lines_in(const std::string& file) {
  std::ifstream stream(file);
  std::size_t lines = 0;
  for (std::string line; std::getline(stream, line);) ++lines;
  return lines;
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_sender = argc > 1 && std::strcmp(argv[1], "--send") == 0;
  Load load;
  std::size_t* const values[] = {&load.nodes, &load.trials, &load.reports};
  for (int i = is_sender ? 2 : 1, v = 0; i < argc && v < 3; ++i, ++v) *values[v] = std::strtoull(argv[i], nullptr, 10);
  if (is_sender) return send(load);

  const std::string self = fs::read_symlink("/proc/self/exe");
  const std::string check_program = fs::path(self).parent_path() / "rackproof-check";
  std::string folder = "/tmp/rackproof-journals-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  std::vector<ClusterNode> nodes;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < load.nodes; ++i) {
    names.push_back(fmt::format("node{:05}", i));
    nodes.push_back({.name = names.back(), .host = names.back(), .leaf = {}, .unusable = {}});
  }
  PreparedRun prepared = prepare_cluster(with_answer(recipe_of(load), nodes), names, {"many-1", "head", folder + "/run", {}});
  const std::size_t planned = lines_in(journal_path(folder + "/run"));

  LocalLauncher launcher({check_program, "--guard"});
  AgentRequest common;
  common.run = "many-1";
  common.digest = "d";
  const auto start = [&](const std::vector<std::size_t>&, const AgentRequest& request) {
    return Launch{.trial = "senders",
                  .argv = {self, "--send", std::to_string(load.nodes), std::to_string(load.trials),
                           std::to_string(load.reports)},
                  .environment = to_environment(request)};
  };
  const auto begin = std::chrono::steady_clock::now();
  ClusterRun cluster(prepared.run, nodes, launcher, *prepared.journal, common, {}, start, [](const Event*, const Run&) {});
  cluster.execute();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const std::size_t events = lines_in(journal_path(folder + "/run")) - planned;
  // Of each node: started, two figures, done, ended, judged for its answer; of each trial the same with its reports.
  const std::size_t expected = load.nodes * (6 + load.trials * (4 + load.reports)) + 1;
  std::cout << fmt::format("{} nodes, {} trials each, {} reports a trial: {} events of {} in {:.1f} s, {:.0f} a second; "
                           "{:.0f} MiB at most, {:.0f} MiB of journal\n",
                           load.nodes, load.trials, load.reports, events, expected, seconds,
                           static_cast<double>(events) / seconds, static_cast<double>(usage.ru_maxrss) / 1024,
                           static_cast<double>(fs::file_size(journal_path(folder + "/run"))) / (1 << 20));
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return events == expected && prepared.run.outcome() <= Outcome::pass ? 0 : 1;
}
