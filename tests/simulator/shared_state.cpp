#include "tests/simulator/shared_state.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace rackproof::simulator {

static_assert(std::atomic<std::int64_t>::is_always_lock_free, "shared between processes");

SharedState& map_shared_state(const std::string& folder) {
  const std::string file = folder + "/state";
  const auto fail = [&](const char* what) {
    throw std::runtime_error(file + ": " + what + ": " + std::strerror(errno));
  };
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) fail("cannot be opened");
  // A new file reads as zeros, which is what every counter starts from.
  if (::ftruncate(fd, sizeof(SharedState)) != 0) fail("cannot be made large enough");
  void* memory = ::mmap(nullptr, sizeof(SharedState), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) fail("cannot be mapped");
  ::close(fd);
  return *static_cast<SharedState*>(memory);
}

}  // namespace rackproof::simulator
