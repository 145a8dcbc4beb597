// Keeps two runs from measuring one another.
#pragma once

#include <string>

#include "runner/child.h"

namespace rackproof {

// Held as long as it lives. The file stays: removing it would race with whoever waits for it.
class Lock {
 public:
  // Takes the lock, or holds nothing when another run has it. Throws InputError when the file cannot be opened.
  explicit Lock(const std::string& file);
  bool held() const { return held_; }

 private:
  Descriptor file_;
  bool held_ = false;
};

}  // namespace rackproof
