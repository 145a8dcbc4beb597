// Starts the trials of a rank among others: beside each runs rackproof-cards, through which the ranks find each other.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runner/agent_request.h"
#include "runner/installation.h"
#include "runner/local_launcher.h"

namespace rackproof {

class RankedLauncher : public Launcher {
 public:
  // Throws std::runtime_error where rackproof-cards does not come up: without it no other rank is found. `environment` is
  // that of the checks.
  RankedLauncher(const Installation&, const AgentRequest&, std::size_t rank, std::vector<std::string> environment);
  RankedLauncher(const RankedLauncher&) = delete;
  RankedLauncher& operator=(const RankedLauncher&) = delete;
  ~RankedLauncher() override;

  void start(const Launch& launch) override { local_.start(launch); }
  Happening wait(std::chrono::milliseconds at_most) override;
  void stop(const std::string& trial, const std::string& why) override { local_.stop(trial, why); }

  // Has the guard clear a simulated node's folder away, however this process ends.
  void clear_at_the_end(const std::string& folder) { local_.clear_at_the_end(folder); }

 private:
  void await_cards(std::size_t rank);
  void end_cards();

  std::string folder_;  // of the socket
  LocalLauncher local_;
  bool cards_run_ = false;
};

}  // namespace rackproof
