// The seam between the plan and the world: starts a trial's process, and says what happens next.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "graphs/event.h"

namespace rackproof {

struct Launch {
  std::string trial;
  std::vector<std::string> argv;
  std::chrono::milliseconds timeout{60'000};
  std::chrono::milliseconds grace{2'000};
  std::vector<std::string> environment{};  // "NAME=value", beside what all trials get
  // Its stdin stays open, and its end is what asks it to end, before any signal.
  bool listens = false;
};

// A whole line of the check's stdout, without its newline.
struct Said {
  std::string trial;
  std::string line;
};
// What it wrote can be no report: half a line at its end, or a line beyond every bound.
struct Babbled {
  std::string trial;
  std::string why;
};
struct Finished {
  std::string trial;
  Ending ending;
  std::string errors{};  // the end of what it wrote to stderr
};
// SIGINT or SIGTERM reached the runner.
struct Interrupted {
  int signal = 0;
};
// The time given to wait() passed.
struct Quiet {};

using Happening = std::variant<Said, Babbled, Finished, Interrupted, Quiet>;

class Launcher {
 public:
  virtual ~Launcher() = default;
  // A process that cannot be started is a Finished with Ending::How::not_started, from wait().
  virtual void start(const Launch&) = 0;
  virtual Happening wait(std::chrono::milliseconds at_most) = 0;
  // Begins to end a trial before its time; its Finished comes from wait() and gives `why`.
  virtual void stop(const std::string& trial, const std::string& why) = 0;
};

}  // namespace rackproof
