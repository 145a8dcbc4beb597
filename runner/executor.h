// Carries a plan out: starts what may start, writes down what happens, and has every trial judged.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "graphs/decode.h"
#include "graphs/journal.h"
#include "graphs/run.h"
#include "runner/launcher.h"
#include "runner/plan.h"

namespace rackproof {

// Hears every event after it was written; the run already contains it. Also called with nullptr about five times a
// second while something runs, for a live line.
using Listener = std::function<void(const Event*, const Run&)>;

// The argv that runs a check's library with its parameters under the step's memory limit.
using CommandOf = std::function<std::vector<std::string>(const Step&, const std::string& check, bool is_watch)>;

// The metrics that limits of other steps are held against: all else of a judged trial may be forgotten.
std::vector<std::string> metrics_referred_to(const std::vector<Step>&);

class Executor {
 public:
  // `run` holds the planned steps and trials already, in the order of the plan; for a resumed run some are judged.
  Executor(Run& run, Plan plan, Launcher&, JournalWriter&, CommandOf, Listener);

  // To the end, or until SIGINT, SIGTERM or a full disk; every started trial is closed in the journal then.
  void execute();

  int interrupting_signal() const { return signal_; }
  // Why the run ended early; empty when it did not.
  const std::string& interrupted() const { return interrupted_; }

 private:
  // A trial's processes one after another: its watches, the check, its watches again.
  struct Course {
    std::size_t trial = 0;
    std::size_t process = 0;  // 0 … 2·watches
    std::map<std::string, double> before;  // by watch, device, metric
    std::int64_t reports = 0;
    std::int64_t bytes = 0;
    bool running = false;  // its process has not finished
    bool too_much = false;
    std::string garbled;
    Ending ending;  // of the check itself
  };

  void start(std::size_t trial);
  void start_process(Course&);
  void on(const Said&);
  void on(const Babbled&);
  void on(const Finished&);
  void on(const Interrupted&);
  void on_watch(Course&, const Step&, const Report&);
  void count(Course&, std::size_t bytes);
  void close(Course&, Ending);
  void judge_trial(std::size_t trial);
  void judge_what_had_ended();
  void write(EventBody, const std::string& node);
  void write_last_words();

  Run& run_;
  Plan plan_;
  Launcher& launcher_;
  JournalWriter& journal_;
  CommandOf command_of_;
  Listener listener_;
  std::map<std::string, Course> courses_;  // by trial
  Decoder decoder_;
  std::vector<std::string> referred_;      // metrics that other steps' limits refer to
  std::string interrupted_;
  int signal_ = 0;
};

}  // namespace rackproof
