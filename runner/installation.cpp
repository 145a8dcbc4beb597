#include "runner/installation.h"

#include <filesystem>
#include <stdexcept>

#include "runner/input_error.h"

namespace rackproof {
namespace {

namespace fs = std::filesystem;

std::string simulator_in(const fs::path& folder) {
  const fs::path simulator = folder / "simulator";
  return fs::exists(simulator / "rackproof-simulator") ? simulator.string() : "";
}

Installation find_whole() {
  const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
  const fs::path prefix = here.parent_path();
  if (fs::exists(here / "rackproof-check")) {
    return {.check_program = here / "rackproof-check",
            .check_directory = here / "checks",
            .cards_program = here / "rackproof-cards",
            .recipe_directory = prefix.parent_path() / "recipes",
            .simulator_directory = simulator_in(here),
            .rehearsal_directory = {}};
  }
  const fs::path libexec = prefix / "libexec" / "rackproof";
  if (fs::exists(libexec / "rackproof-check")) {
    return {.check_program = libexec / "rackproof-check",
            .check_directory = libexec / "checks",
            .cards_program = libexec / "rackproof-cards",
            .recipe_directory = prefix / "share" / "rackproof" / "recipes",
            .simulator_directory = simulator_in(libexec),
            .rehearsal_directory = {}};
  }
  throw std::runtime_error("rackproof-check lies neither beside " + here.string() + "/rackproof nor in " +
                           libexec.string() + ": the installation is incomplete");
}

}  // namespace

std::string Installation::library_of(std::string_view check) const {
  const std::string name = std::string(check) + ".so";
  if (!rehearsal_directory.empty()) {
    const fs::path rehearsal = fs::path(rehearsal_directory) / name;
    if (fs::exists(rehearsal)) return rehearsal;
  }
  return fs::path(check_directory) / name;
}

Installation find_installation(const std::string& checks, bool is_simulated) {
  Installation installation = find_whole();
  if (checks.empty()) {
    if (is_simulated && !installation.simulator_directory.empty()) {
      installation.rehearsal_directory = fs::path(installation.simulator_directory) / "checks";
    }
    return installation;
  }
  if (!fs::is_directory(checks)) throw InputError("--checks " + checks + ": is not a folder");
  installation.check_directory = fs::absolute(checks);
  return installation;
}

}  // namespace rackproof
