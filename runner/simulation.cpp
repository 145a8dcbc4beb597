#include "runner/simulation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "runner/child.h"
#include "runner/input_error.h"
#include "runner/text_file.h"

namespace rackproof {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLayOutWithin{60'000};
// No sentence of a fault holds it.
constexpr std::string_view kBetweenFaults = "; ";

// A node is some two thousand small files, which a disk may take seconds to make: they lie in memory where that can be,
// unless the user names a place.
fs::path temporary_folder(std::error_code& error) {
  const fs::path in_memory = "/dev/shm";
  if (std::getenv("TMPDIR") == nullptr && ::access(in_memory.c_str(), W_OK | X_OK) == 0) return in_memory;
  return fs::temp_directory_path(error);
}

std::string new_folder() {
  std::error_code error;
  const fs::path above = temporary_folder(error);
  std::string pattern = (above / fmt::format("{}XXXXXX", kSimulatedFolder)).string();
  if (error || ::mkdtemp(pattern.data()) == nullptr) {
    throw InputError(fmt::format("--simulate: no folder can be made below {}: {}",
                                 error ? "TMPDIR" : above.string(), error ? error.message() : std::strerror(errno)));
  }
  return pattern;
}

void lay_out(const std::string& program, const SimulationRequest& request, const std::string& folder) {
  std::vector<std::string> argv{program, "lay-out", request.profile, folder};
  for (const std::string& fault : request.faults) argv.insert(argv.end(), {"--fault", fault});
  const Ended ended = run_to_end(argv, kLayOutWithin);
  if (!ended.exit.signalled && ended.exit.code == 0) return;
  std::string why = ended.errors.substr(0, ended.errors.find('\n'));
  constexpr std::string_view kItself = "rackproof-simulator: ";
  if (why.starts_with(kItself)) why.erase(0, kItself.size());
  refuse({.file = "--simulate " + request.profile},
         why.empty() ? fmt::format("{} ended with {} {}", program, ended.exit.signalled ? "signal" : "status",
                                   ended.exit.code)
                     : why);
}

}  // namespace

Facts to_facts(const SimulationRequest& request) {
  if (request.profile.empty()) return {};
  Facts facts{{"simulated_profile", request.profile}};
  const std::string faults = fmt::format("{}", fmt::join(request.faults, kBetweenFaults));
  if (!faults.empty()) facts.emplace_back("simulated_faults", faults);
  return facts;
}

SimulationRequest from_facts(const Facts& facts) {
  SimulationRequest request;
  for (const auto& [name, value] : facts) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) continue;
    if (name == "simulated_profile") request.profile = *text;
    if (name != "simulated_faults") continue;
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(kBetweenFaults), rest.size());
      request.faults.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + kBetweenFaults.size(), rest.size()));
    }
  }
  return request;
}

Simulation::Simulation(const Installation& installation, const SimulationRequest& request) {
  const fs::path simulator = installation.simulator_directory;
  if (simulator.empty()) {
    throw InputError("--simulate: the simulator is not installed: it is the component 'simulator' of rackproof");
  }
  folder_ = new_folder();
  try {
    const fs::path node = fs::path(folder_) / "node";
    lay_out((simulator / "rackproof-simulator").string(), request, node.string());
    const std::string said = read_text_file((node / "said").string(), {});
    node_ = said.substr(0, said.find_first_of(" \n"));
    const char* libraries = ::getenv("LD_LIBRARY_PATH");
    environment_ = {"RACKPROOF_SYSROOT=" + (node / "sysroot").string(), "RACKPROOF_SIMULATION=" + node.string(),
                    "LD_LIBRARY_PATH=" + (simulator / "lib").string() +
                        (libraries == nullptr || *libraries == '\0' ? "" : std::string(":") + libraries)};
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    throw;
  }
}

Simulation::~Simulation() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

}  // namespace rackproof
