// Where the parts of rackproof lie, relative to this program: in a build folder, or installed.
#pragma once

#include <string>

namespace rackproof {

struct Installation {
  std::string check_program;    // rackproof-check
  std::string check_directory;  // the check libraries
  std::string recipe_directory;
};

// `checks`, unless empty, is the folder of check libraries that the user named. Throws InputError when it is none, and
// std::runtime_error when rackproof-check is not where it belongs.
Installation find_installation(const std::string& checks);

}  // namespace rackproof
