// Where the parts of rackproof lie, relative to this program: in a build folder, or installed.
#pragma once

#include <string>
#include <string_view>

namespace rackproof {

struct Installation {
  std::string check_program;    // rackproof-check
  std::string check_directory;  // the check libraries
  std::string cards_program;    // rackproof-cards; it exists only where PMIx was there to build against
  std::string recipe_directory;
  std::string simulator_directory;  // empty: not installed
  // Editions of checks for simulated runs alone, where the shipped ones were built without a vendor's toolkit.
  std::string rehearsal_directory;  // empty: the shipped ones are used

  // The library of a check: "…/checks/pcie.link.so".
  std::string library_of(std::string_view check) const;
};

// Where a run is simulated, its checks' rehearsal editions are used. `checks`, unless empty, is the folder of check
// libraries that the user named. Throws InputError when it is none, and std::runtime_error when rackproof-check is not
// where it belongs.
Installation find_installation(const std::string& checks, bool is_simulated = false);

}  // namespace rackproof
