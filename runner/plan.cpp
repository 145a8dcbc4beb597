#include "runner/plan.h"

#include <algorithm>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

namespace rackproof {
namespace {

bool meet(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  return std::ranges::any_of(a, [&](const std::string& claim) {
    return claim == "node" || std::ranges::count(b, claim) > 0 || std::ranges::count(b, "node") > 0;
  });
}

}  // namespace

std::vector<Step> needs_first(std::vector<Step> steps) {
  std::vector<Step> ordered;
  std::unordered_set<std::string> placed;
  std::vector<bool> taken(steps.size());
  while (ordered.size() < steps.size()) {
    const std::size_t before = ordered.size();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const bool ready = std::ranges::all_of(taken[i] ? std::vector<std::string>{} : steps[i].needs,
                                             [&](const std::string& need) { return placed.contains(need); });
      if (taken[i] || !ready) continue;
      taken[i] = true;
      placed.insert(steps[i].id);
      ordered.push_back(std::move(steps[i]));
    }
    if (ordered.size() == before) throw std::logic_error("a circle of needs reached the plan");
  }
  return ordered;
}

Plan::Plan(const std::vector<Step>& steps, const std::vector<std::string>& nodes) {
  for (const Step& step : steps) claims_.push_back(step.claims);
  for (const std::string& node : nodes) {
    std::unordered_map<std::string, std::size_t> by_step;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      by_step.emplace(steps[i].id, trials_.size() + i);
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      PlannedTrial trial{steps[i].id + "@" + node, i, node, {}};
      for (const std::string& need : steps[i].needs) trial.needs.push_back(by_step.at(need));
      trials_.push_back(std::move(trial));
    }
  }
  progress_.resize(trials_.size());
  left_ = trials_.size();
}

bool Plan::claims_are_free(std::size_t trial) const {
  if (running_ == 0) return true;
  for (std::size_t i = first_left_; i < trials_.size(); ++i) {
    if (progress_[i].state == State::running && trials_[i].node == trials_[trial].node &&
        meet(claims_[trials_[i].step], claims_[trials_[trial].step])) {
      return false;
    }
  }
  return true;
}

std::optional<std::size_t> Plan::next_to_start() const {
  for (std::size_t i = first_left_; i < trials_.size(); ++i) {
    if (progress_[i].state != State::waiting) continue;
    const bool ready = std::ranges::all_of(trials_[i].needs, [&](std::size_t need) {
      return progress_[need].state == State::ended && lets_others_start(progress_[need].outcome);
    });
    if (ready && claims_are_free(i)) return i;
    // Nothing overtakes a trial that waits only for its claims: it could be overtaken for ever.
    if (ready) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::size_t> Plan::next_blocked() const {
  for (std::size_t i = first_left_; i < trials_.size(); ++i) {
    if (progress_[i].state != State::waiting) continue;
    const bool blocked = std::ranges::any_of(trials_[i].needs, [&](std::size_t need) {
      return progress_[need].state == State::ended && !lets_others_start(progress_[need].outcome);
    });
    if (blocked) return i;
  }
  return std::nullopt;
}

void Plan::started(std::size_t trial) {
  progress_[trial].state = State::running;
  ++running_;
}

void Plan::ended(std::size_t trial, Outcome outcome) {
  if (progress_[trial].state == State::running) --running_;
  progress_[trial] = {State::ended, outcome};
  --left_;
  while (first_left_ < trials_.size() && progress_[first_left_].state == State::ended) ++first_left_;
}

}  // namespace rackproof
