// What happened in a run, in order. A journal is a list of these, one JSON object a line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "checks/api/report.h"
#include "graphs/outcome.h"
#include "graphs/step.h"

namespace rackproof {

inline constexpr std::int64_t kJournalFormat = 1;

// How a trial's process ended.
struct Ending {
  enum class How {
    exited,       // code: exit status
    signalled,    // code: signal
    timed_out,    // code: signal that ended it
    stopped,      // by the runner, because the run was interrupted or the trial said too much; why says so
    unkillable,   // the kernel holds it
    not_started,  // why says so
  };
  How how = How::exited;
  std::int64_t code = 0;
  std::int64_t duration_us = 0;
  std::int64_t cpu_us = 0;
  std::int64_t memory_bytes = 0;  // largest resident set
  std::int64_t left_behind = 0;   // processes that outlived the check and were killed
  std::string why;
  std::string last_error;  // its last line on stderr
  std::string garbled;     // the first line that is no report, and why; empty when all were
  bool operator==(const Ending&) const = default;
};

// One reason for a verdict, worst first in it.
struct Finding {
  Outcome outcome = Outcome::info;
  std::string text;    // one sentence: number, device, limit, where the limit was written
  std::string device;  // the part it speaks of; empty: none in particular
  std::string metric;
  bool operator==(const Finding&) const = default;
};

struct Verdict {
  Outcome outcome = Outcome::info;
  std::string reason;  // the first finding's text, or why there is none
  std::vector<Finding> findings;
  std::vector<std::string> blocked_by;  // trials, for Outcome::blocked
  bool operator==(const Verdict&) const = default;
};

struct RunStarted {
  std::string run;  // id
  std::string recipe;
  std::string summary;
  std::string file;
  std::string version;
  std::vector<std::string> layers;
  Facts facts;  // of the machine that plans: kernel, architecture
};
struct StepPlanned {
  Step step;
};
struct TrialPlanned {
  std::string trial;
  std::string step;
  std::vector<std::string> needs;  // trials
};
struct TrialStarted {
  std::string trial;
};
struct Reported {
  std::string trial;
  Report report;
  std::string watch;  // the watch whose difference this is; empty: the check's own word
};
struct TrialEnded {
  std::string trial;
  Ending ending;
};
struct TrialJudged {
  std::string trial;
  Verdict verdict;
};
struct RunResumed {};
struct RunEnded {
  Outcome outcome = Outcome::info;
  std::string interrupted;  // why it ended early; empty: it did not
};

using EventBody = std::variant<RunStarted, StepPlanned, TrialPlanned, TrialStarted, Reported, TrialEnded, TrialJudged,
                               RunResumed, RunEnded>;

struct Event {
  std::int64_t at_us = 0;  // since the Unix epoch
  std::string node;
  EventBody body;
};

std::string_view to_text(Ending::How);

// One line without its newline.
std::string encode(const Event&);

}  // namespace rackproof
