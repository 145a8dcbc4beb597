// Keeps two runs from measuring one another.
#pragma once

#include <string>

#include "runner/child.h"

namespace rackproof {

// Held as long as it lives. The file stays: removing it would race with whoever waits for it.
class Lock {
 public:
  // Takes the lock, or holds nothing when another run has it. Throws InputError when the file cannot be opened. Without
  // a name there is nothing to take, and nobody else who could have it.
  explicit Lock(const std::string& file);
  bool held() const { return held_; }
  // Says on stderr who has it. The exit code.
  int refuse() const;

 private:
  std::string name_;
  Descriptor file_;
  bool held_ = true;
};

}  // namespace rackproof
