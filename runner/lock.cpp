#include "runner/lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "runner/input_error.h"

namespace rackproof {

Lock::Lock(const std::string& file)
    : file_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)) {
  if (!file_.open()) throw InputError("--lock " + file + ": " + std::strerror(errno));
  held_ = ::flock(file_.get(), LOCK_EX | LOCK_NB) == 0;
}

}  // namespace rackproof
