// Starts trials as processes of this machine, with a kill ladder: deadline, SIGTERM, grace, SIGKILL, grace, given up.
#pragma once

#include <signal.h>

#include <deque>
#include <map>
#include <memory>

#include "runner/child.h"
#include "runner/launcher.h"

namespace rackproof {

// While it lives, SIGINT and SIGTERM wait to be read. What was not read by its end has had its answer: the run is closed.
// One inside another changes nothing.
class HeldSignals {
 public:
  HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals();

 private:
  sigset_t before_{};
};

// How the folder of a simulated node begins, and that of a rank's cards; the guard clears no other away.
inline constexpr const char* kSimulatedFolder = "rackproof-simulated-";
inline constexpr const char* kCardsFolder = "rackproof-cards-";

class LocalLauncher : public Launcher {
 public:
  // `guard` is the argv of the guard process, which ends what is left when this process dies by SIGKILL.
  explicit LocalLauncher(const std::vector<std::string>& guard, std::vector<std::string> environment = {});

  // Has the guard clear such a folder away, however this process ends.
  void clear_at_the_end(const std::string& folder);

  void start(const Launch&) override;
  Happening wait(std::chrono::milliseconds at_most) override;
  void stop(const std::string& trial, const std::string& why) override;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Rung { running, terminated, killed };

  struct Running {
    Launch launch;
    Child child;
    Clock::time_point started;
    Clock::time_point next_rung;
    Rung rung = Rung::running;
    std::string stopped;  // why it was ended before its time
    std::string partial;  // the line that is being read
    std::string errors;   // the last of its stderr
    bool overlong = false;
  };

  void collect_events(int timeout_ms);
  void read_out(Running&);
  void read_err(Running&);
  void climb(Running&);
  bool finish(Running&);
  void give_up(Running&);
  std::vector<pid_t> known_children() const;

  HeldSignals held_signals_;
  ListeningChild guard_;
  std::vector<std::string> environment_;
  Descriptor signals_;
  std::map<std::string, std::unique_ptr<Running>> running_;
  std::vector<Child> abandoned_;  // held by the kernel
  std::deque<Happening> happened_;
};

}  // namespace rackproof
