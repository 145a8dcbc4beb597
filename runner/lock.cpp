#include "runner/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <iostream>

#include "runner/exit_code.h"
#include "runner/input_error.h"

namespace rackproof {

Lock::Lock(const std::string& file) : name_(file) {
  if (name_.empty()) return;
  file_ = Descriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file_.open()) throw InputError("--lock " + file + ": " + std::strerror(errno));
  held_ = ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0;
}

int Lock::refuse() const {
  std::cerr << fmt::format("rackproof: {} is held by another run\n", name_);
  return kExitLocked;
}

}  // namespace rackproof
