// The climb of a run on many nodes: each node by itself, and what becomes of a node that is lost in it.
#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "graphs/judge.h"
#include "runner/clock.h"
#include "runner/cluster_plan.h"
#include "runner/cluster_run.h"
#include "runner/version.h"

namespace rackproof {
namespace {

using std::chrono::milliseconds;
using Fate = AgentEnd::Fate;

}  // namespace

bool ClusterRun::is_done(std::size_t node) const {
  return std::ranges::all_of(nodes_[node].trials, [&](std::size_t trial) {
    return run_.trials[trial].verdict.has_value() || run_.step_of(run_.trials[trial]).span.has_value();
  });
}

void ClusterRun::climb() {
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    if (!nodes_[node].about.unusable.empty()) lose(node, nodes_[node].about.unusable);
  }
  // An engine that starts nobody because of one node it cannot reach is asked for half of them, and half of those.
  std::deque<std::vector<std::size_t>> waiting{usable()};
  while (!waiting.empty() && interrupted_.empty()) {
    std::vector<std::size_t> chosen = std::move(waiting.front());
    waiting.pop_front();
    std::erase_if(chosen, [&](std::size_t node) { return is_done(node) || !nodes_[node].lost.empty(); });
    if (chosen.empty()) continue;
    const bool is_to_be_halved = climb_once(chosen);
    const auto middle = chosen.begin() + static_cast<std::ptrdiff_t>(is_to_be_halved ? chosen.size() / 2 : chosen.size());
    waiting.emplace_back(chosen.begin(), middle);
    if (middle != chosen.end()) waiting.emplace_back(middle, chosen.end());
  }
}

// Afterwards each of these nodes is done or lost, but for those that the engine took down with another. True when it
// started nobody at all, and there are several.
bool ClusterRun::climb_once(const std::vector<std::size_t>& chosen) {
  milliseconds whole{0};
  for (const Step& step : run_.steps) {
    if (!step.span) whole += longest_time(step);
  }
  const AgentCalls calls{
      .word = [&](std::size_t rank, const AgentWord& word) {
        if (word.kind == AgentWord::Kind::hello) on_hello(chosen[rank], word);
      },
      .event = [&](std::size_t rank, const Event& event) { on_climb(chosen[rank], event); },
      .tick = [&] { if (listener_) listener_(nullptr, run_); }};
  const LaunchEnd end = launch(chosen, asking(AgentRequest::Work::climb, chosen), calls, whole);
  if (!interrupted_.empty()) return false;
  const bool any_named = std::ranges::any_of(end.ends, &AgentEnd::is_named);
  // Whom it names then may be one that it could start: Open MPI names those that it no longer reaches because of another.
  if (!end.any_answered && chosen.size() > 1) return true;
  for (std::size_t rank = 0; rank < chosen.size(); ++rank) {
    const std::size_t node = chosen[rank];
    const AgentEnd& agent = end.ends[rank];
    if (is_done(node) || !nodes_[node].lost.empty()) continue;
    const bool was_taken_down = agent.fate == Fate::cut_off || agent.fate == Fate::done ||
                                (agent.fate == Fate::never_answered && any_named);
    if (was_taken_down && !agent.is_named && ++nodes_[node].launches < kMostLaunches) continue;
    lose(node, agent.fate == Fate::done ? "was ended by its engine, each time it was started" : agent.why);
  }
  return false;
}

// Only what is certain: an answer comes after its question, and before it is heard.
std::int64_t ClusterRun::clock_offset(const Node& node, std::int64_t said_us) const {
  const std::int64_t now = now_us();
  if (said_us > now) return said_us - now;
  return said_us < node.launched_us ? said_us - node.launched_us : 0;
}

void ClusterRun::on_hello(std::size_t index, const AgentWord& word) {
  Node& node = nodes_[index];
  const TrialRecord& trial = run_.trials[node.trials.front()];
  node.has_answered = true;
  node.clock_offset_us = clock_offset(node, word.at_us);
  // Without a digest it could not read the recipe, and its bye will say why.
  if (trial.verdict || word.digest.empty() || run_.step_of(trial).id != kAnswerStep) return;
  const std::string id = trial.id;
  const std::string& name = node.about.name;
  const auto report = [&](Report what) { write(Reported{id, std::move(what), ""}, name); };
  write(TrialStarted{id}, name);
  if (!node.about.leaf.empty()) report(Device{.id = "leaf", .kind = "leaf", .name = node.about.leaf, .parent = "", .facts = {}});
  const auto seconds = [](std::int64_t us) { return static_cast<double>(us) / 1e6; };
  const auto measure = [&](const char* metric, std::int64_t us) {
    report(Measurement{.metric = metric, .device = "", .value = seconds(us), .unit = "s", .samples = {}, .counted = {}});
  };
  measure("answered_after", now_us() - node.launched_us);
  measure("clock_offset", std::abs(node.clock_offset_us));
  std::string fault;
  if (word.version != kVersion) {
    fault = fmt::format("runs rackproof {}, and this is {}", word.version, kVersion);
  } else if (word.digest != request_.digest) {
    fault = fmt::format("reads another recipe: its digest there is {}, here {}", word.digest, request_.digest);
  }
  if (!fault.empty()) report(Fault{"", "not-the-same", fault});
  report(Done{});
  write(TrialEnded{id, Ending{}}, name);
  judge_one(node.trials.front());
  if (!fault.empty()) lose(index, fault);
}

// A node tells of its own trials, in their order; what has a verdict stands.
void ClusterRun::on_climb(std::size_t index, const Event& event) {
  const Node& node = nodes_[index];
  if (!node.lost.empty()) return;
  const auto take = [&](const std::string& id) {
    const TrialRecord* trial = run_.find_trial(id);
    return trial != nullptr && trial->node == node.about.name && !trial->verdict && !run_.step_of(*trial).span;
  };
  const std::string* id = nullptr;
  if (const auto* started = std::get_if<TrialStarted>(&event.body)) id = &started->trial;
  if (const auto* reported = std::get_if<Reported>(&event.body)) id = &reported->trial;
  if (const auto* end = std::get_if<TrialEnded>(&event.body)) id = &end->trial;
  const auto* judged = std::get_if<TrialJudged>(&event.body);
  if (judged != nullptr) id = &judged->trial;
  if (id == nullptr || !take(*id)) return;
  // An agent that its engine ended says so of the trial that was open; it may yet be run to its end.
  const auto* ended = std::get_if<TrialEnded>(&event.body);
  const TrialRecord& trial = *run_.find_trial(*id);
  if ((ended != nullptr && was_interrupted(ended->ending)) || (judged != nullptr && trial.open() && !trial.ending)) return;
  write(event.body, node.about.name, event.at_us - node.clock_offset_us);
  if (judged == nullptr) return;
  run_.forget_reports(static_cast<std::size_t>(run_.find_trial(judged->trial) - run_.trials.data()), referred_);
  sync_now_and_then();
}

void ClusterRun::lose(std::size_t index, const std::string& why) {
  Node& node = nodes_[index];
  node.lost = why;
  for (const std::size_t trial : node.trials) {
    const TrialRecord& record = run_.trials[trial];
    if (record.verdict || run_.step_of(record).span) continue;
    const bool is_blocked = std::ranges::any_of(record.needs, [&](std::size_t need) {
      const auto& verdict = run_.trials[need].verdict;
      return verdict && !lets_others_start(verdict->outcome);
    });
    if (is_blocked) {
      write(TrialJudged{record.id, blocked(run_, record)}, record.node);
    } else {
      close(trial, why, record.started ? Ending::How::stopped : Ending::How::not_started);
    }
  }
}

}  // namespace rackproof
