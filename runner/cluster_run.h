// The controller of a run on many nodes: has each node climb by itself, then runs the steps that span nodes on those that
// passed what these need, and sees to it that every trial comes to a verdict whatever becomes of its node.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graphs/journal.h"
#include "graphs/run.h"
#include "runner/agent_launch.h"
#include "runner/agent_request.h"
#include "runner/engine.h"
#include "runner/executor.h"
#include "runner/launcher.h"

namespace rackproof {

// Starts a launch: chosen nodes by index, and what they are asked.
using StartAgents = std::function<Launch(const std::vector<std::size_t>& chosen, const AgentRequest&)>;

// An engine may end all its agents because of one; those that it does not name are tried again, so often in all.
inline constexpr int kMostLaunches = 3;

// Whether a trial was ended because its agent was told to end: by its engine, if not by the user.
bool was_interrupted(const Ending&);

// What a step may take at most: its watches before and after, itself, and the ways of ending each.
std::chrono::milliseconds longest_time(const Step&);

class ClusterRun {
 public:
  // `request` is what all launches have in common. `run` holds the plan already; what is judged in it is kept.
  ClusterRun(Run& run, std::vector<ClusterNode> nodes, Launcher&, JournalWriter&, AgentRequest request, AgentBounds,
             StartAgents, Listener);

  // To the end, or until SIGINT, SIGTERM or a full disk; every trial is closed in the journal then.
  void execute();

  int interrupting_signal() const { return signal_; }
  // Why the run ended early; empty when it did not.
  const std::string& interrupted() const { return interrupted_; }

 private:
  struct Node {
    ClusterNode about;
    std::vector<std::size_t> trials;  // of the node, in the order of the plan
    std::string lost;                 // why nothing more can be asked of it; empty: it can
    std::int64_t clock_offset_us = 0;
    std::int64_t launched_us = 0;
    int launches = 0;
    bool has_answered = false;
  };

  void climb();
  bool climb_once(const std::vector<std::size_t>& chosen);
  void on_hello(std::size_t node, const AgentWord&);
  void on_climb(std::size_t node, const Event&);
  std::int64_t clock_offset(const Node&, std::int64_t said_us) const;
  // Closes every trial of the climb that has no verdict: the first that could have run is an error, for this reason.
  void lose(std::size_t node, const std::string& why);
  bool is_done(std::size_t node) const;

  void span(std::size_t step);
  std::vector<std::size_t> participants(std::size_t step);
  std::vector<RankRound> first_rounds(std::size_t step, const std::vector<std::size_t>& taking_part) const;
  // Rounds of groups of nodes; the first of them is the step's round of that number.
  void measure(std::size_t step, std::vector<RankRound> rounds, std::int64_t first_round);
  std::vector<std::size_t> measure_once(std::size_t step, const std::vector<RankRound>& rounds, std::int64_t first_round,
                                        bool is_last);
  void on_span(std::size_t node, std::size_t step, const Event&);
  void judge_spanning(std::size_t step, const std::vector<std::size_t>& taking_part);
  std::size_t fabric_trial(std::size_t step) const;
  void judge_again();

  void forget();
  void forget_on(const std::vector<std::size_t>& chosen, std::chrono::milliseconds answers_within);
  void close(std::size_t trial, const std::string& why, Ending::How);
  void judge_one(std::size_t trial);
  void write(EventBody, const std::string& node, std::int64_t at_us = 0);
  void sync_now_and_then();
  void write_last_words();
  LaunchEnd launch(const std::vector<std::size_t>& chosen, AgentRequest, const AgentCalls&, std::chrono::milliseconds whole,
                   std::optional<std::chrono::milliseconds> answers_within = {});
  AgentRequest asking(AgentRequest::Work, const std::vector<std::size_t>& chosen) const;
  std::vector<std::size_t> usable() const;
  std::size_t trial_of(std::size_t node, std::size_t step) const { return nodes_[node].trials[step]; }

  Run& run_;
  std::vector<Node> nodes_;
  std::map<std::string, std::size_t> index_;  // of the nodes, by name
  Launcher& launcher_;
  JournalWriter& journal_;
  const AgentRequest request_;
  const AgentBounds bounds_;
  StartAgents start_;
  Listener listener_;
  std::vector<std::string> referred_;   // metrics that limits of other steps refer to
  // What is known of a trial of the step that spans nodes now, and is written when its last pass is over.
  struct Part {
    std::optional<Report> last_word;
    std::optional<Ending> ending;
  };
  std::map<std::size_t, Part> parts_;  // by trial
  std::int64_t passes_ = 0;            // launches of that step so far
  std::int64_t synced_us_ = 0;
  std::string interrupted_;
  int signal_ = 0;
};

}  // namespace rackproof
