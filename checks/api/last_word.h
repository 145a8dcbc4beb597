// What a check throws when it cannot go on: the two last words besides "done".
#pragma once

#include <string>

namespace rackproof {

// It does not apply on this machine. Stands as a skip where the step is optional; elsewhere it is an error.
struct Skip {
  std::string why;
};

// It should apply, and could not do its work.
struct Trouble {
  std::string why;
};

}  // namespace rackproof
