// Which trials there are, which may start now, and what each came to: pure state, without process, clock or printing.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "graphs/outcome.h"
#include "graphs/step.h"

namespace rackproof {

struct PlannedTrial {
  std::string id;  // "STEP@NODE"
  std::size_t step = 0;
  std::string node;
  std::vector<std::size_t> needs;
};

// The steps in their own order, but each after what it needs. There must be no circle.
std::vector<Step> needs_first(std::vector<Step> steps);

class Plan {
 public:
  // Every step once on every node; a step needs other steps on its own node.
  Plan(const std::vector<Step>& steps, const std::vector<std::string>& nodes);

  const std::vector<PlannedTrial>& trials() const { return trials_; }

  // The first trial, in order, whose needs are met and whose claims are free.
  std::optional<std::size_t> next_to_start() const;
  // The first trial that can never start, because a need of it did not pass.
  std::optional<std::size_t> next_blocked() const;

  void started(std::size_t trial);
  void ended(std::size_t trial, Outcome);  // of a trial that ran, or one that is blocked

  bool anything_left() const { return left_ > 0; }
  bool anything_running() const { return running_ > 0; }

 private:
  enum class State { waiting, running, ended };
  struct Progress {
    State state = State::waiting;
    Outcome outcome = Outcome::skip;
  };
  bool claims_are_free(std::size_t trial) const;

  std::vector<PlannedTrial> trials_;
  std::vector<std::vector<std::string>> claims_;  // by step
  std::vector<Progress> progress_;
  std::size_t left_ = 0;
  std::size_t running_ = 0;
  std::size_t first_left_ = 0;  // all before it have ended
};

}  // namespace rackproof
