// A node that is not there: laid out by rackproof-simulator for one run, and cleared away when the run ends.
#pragma once

#include <string>
#include <vector>

#include "checks/api/report.h"
#include "runner/installation.h"
#include "runner/local_launcher.h"

namespace rackproof {

struct SimulationRequest {
  std::string profile;  // a name that rackproof-simulator knows, or a file; empty: nothing is simulated
  std::vector<std::string> faults;
};

// As the journal keeps it, so that a run that was cut off can be resumed on the same node.
Facts to_facts(const SimulationRequest&);
SimulationRequest from_facts(const Facts&);

class Simulation {
 public:
  // Throws InputError where no simulator is installed, and with its own sentence where the profile or a fault is wrong.
  Simulation(const Installation&, const SimulationRequest&);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation();

  const std::string& folder() const { return folder_; }
  const std::string& node() const { return node_; }  // the name of the profile
  // For the checks alone: where the node lies, and the stand-ins for the vendors' libraries.
  const std::vector<std::string>& environment() const { return environment_; }

 private:
  HeldSignals held_signals_;  // a signal ends the run, and this with it; it must not end this process first
  std::string folder_;
  std::string node_;
  std::vector<std::string> environment_;
};

}  // namespace rackproof
