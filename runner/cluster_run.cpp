#include "runner/cluster_run.h"

#include <fmt/format.h>
#include <string.h>

#include <algorithm>
#include <chrono>

#include "graphs/judge.h"
#include "runner/clock.h"

namespace rackproof {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kSyncUs = 100'000;
// What was lost once is waited for no longer than this.
constexpr milliseconds kLostAnswerWithin{10'000};

}  // namespace

bool was_interrupted(const Ending& ending) {
  return ending.how == Ending::How::stopped && ending.why.starts_with("interrupted by SIG");
}

ClusterRun::ClusterRun(Run& run, std::vector<ClusterNode> nodes, Launcher& launcher, JournalWriter& journal,
                       AgentRequest request, AgentBounds bounds, StartAgents start, Listener listener)
    : run_(run),
      launcher_(launcher),
      journal_(journal),
      request_(std::move(request)),
      bounds_(bounds),
      start_(std::move(start)),
      listener_(std::move(listener)),
      referred_(metrics_referred_to(run.steps)) {
  for (ClusterNode& about : nodes) {
    index_.emplace(about.name, nodes_.size());
    nodes_.emplace_back();
    nodes_.back().about = std::move(about);
  }
  for (std::size_t i = 0; i < run_.trials.size(); ++i) {
    if (const auto node = index_.find(run_.trials[i].node); node != index_.end()) nodes_[node->second].trials.push_back(i);
  }
}

void ClusterRun::write(EventBody body, const std::string& node, std::int64_t at_us) {
  const Event event{at_us == 0 ? now_us() : at_us, node, std::move(body)};
  journal_.append(event);
  run_.apply(event);
  if (listener_) listener_(&event, run_);
}

// A verdict is on its node's disk already; here it is synced with those of other nodes.
void ClusterRun::sync_now_and_then() {
  const std::int64_t now = now_us();
  if (now - synced_us_ < kSyncUs) return;
  synced_us_ = now;
  journal_.sync();
}

void ClusterRun::execute() {
  try {
    judge_again();
    climb();
    for (std::size_t step = 0; step < run_.steps.size() && interrupted_.empty(); ++step) {
      if (run_.steps[step].span) span(step);
    }
    if (interrupted_.empty()) forget();
  } catch (const JournalFull& full) {
    interrupted_ = fmt::format("the journal cannot be written: {}", full.what());
  }
  write_last_words();
}

// Whatever ended the run: trials that had begun are closed, so that every bracket closes; the others may yet be tried.
void ClusterRun::write_last_words() {
  journal_.use_reserve();
  if (!interrupted_.empty()) {
    for (std::size_t i = 0; i < run_.trials.size(); ++i) {
      if (run_.trials[i].open()) close(i, interrupted_, Ending::How::stopped);
    }
  }
  write(RunEnded{run_.outcome(), interrupted_}, run_.node);
  journal_.sync();
}

void ClusterRun::judge_one(std::size_t trial) {
  const TrialRecord& record = run_.trials[trial];
  write(TrialJudged{record.id, judge(run_, record)}, record.node);
  run_.forget_reports(trial, referred_);
  sync_now_and_then();
}

void ClusterRun::close(std::size_t trial, const std::string& why, Ending::How how) {
  const std::string id = run_.trials[trial].id;
  const std::string node = run_.trials[trial].node;
  if (!run_.trials[trial].started) write(TrialStarted{id}, node);
  if (!run_.trials[trial].ending) {
    Ending ending;
    ending.how = how;
    ending.why = why;
    write(TrialEnded{id, std::move(ending)}, node);
  }
  judge_one(trial);
}

// A run that was cut off between the end of a trial and its verdict has all the evidence.
void ClusterRun::judge_again() {
  for (std::size_t i = 0; i < run_.trials.size(); ++i) {
    const TrialRecord& trial = run_.trials[i];
    if (trial.ending && !trial.verdict && !run_.step_of(trial).span) judge_one(i);
  }
}

AgentRequest ClusterRun::asking(AgentRequest::Work work, const std::vector<std::size_t>& chosen) const {
  AgentRequest request = request_;
  request.work = work;
  for (const std::size_t node : chosen) request.nodes.push_back(nodes_[node].about.name);
  return request;
}

LaunchEnd ClusterRun::launch(const std::vector<std::size_t>& chosen, AgentRequest request, const AgentCalls& calls,
                             milliseconds whole, std::optional<milliseconds> answers_within) {
  std::vector<std::string> hosts;
  for (const std::size_t node : chosen) {
    hosts.push_back(nodes_[node].about.host);
    nodes_[node].launched_us = now_us();
  }
  AgentBounds bounds = bounds_;
  bounds.answers_within = answers_within.value_or(bounds.answers_within);
  bounds.whole = whole + 2 * bounds.answers_within;
  LaunchEnd end = launch_agents(launcher_, start_(chosen, request), hosts, bounds, calls);
  if (end.signal != 0) {
    signal_ = end.signal;
    const char* name = ::sigabbrev_np(end.signal);
    interrupted_ = fmt::format("interrupted by SIG{}", name == nullptr ? "?" : name);
  }
  return end;
}

std::vector<std::size_t> ClusterRun::usable() const {
  std::vector<std::size_t> chosen;
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    if (nodes_[node].lost.empty()) chosen.push_back(node);
  }
  return chosen;
}

// Nothing is to stay behind on a node; where it cannot be reached now, its journal stays in /var/tmp.
void ClusterRun::forget() {
  std::vector<std::size_t> lost;
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    if (!nodes_[node].lost.empty() && nodes_[node].has_answered) lost.push_back(node);
  }
  forget_on(usable(), bounds_.answers_within);
  forget_on(lost, std::min(bounds_.answers_within, kLostAnswerWithin));
}

void ClusterRun::forget_on(const std::vector<std::size_t>& chosen, milliseconds answers_within) {
  if (chosen.empty() || !interrupted_.empty()) return;
  const AgentCalls calls{.word = [](std::size_t, const AgentWord&) {},
                         .event = [](std::size_t, const Event&) {},
                         .tick = [&] { if (listener_) listener_(nullptr, run_); }};
  launch(chosen, asking(AgentRequest::Work::forget, chosen), calls, bounds_.answers_within, answers_within);
}

}  // namespace rackproof
