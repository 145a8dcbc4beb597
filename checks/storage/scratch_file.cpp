#include "checks/storage/scratch_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "checks/api/last_word.h"
#include "checks/api/quantity.h"

namespace rackproof {
namespace {

constexpr std::int64_t kKeptFree = std::int64_t{16} << 30;

std::string reason() { return std::strerror(errno); }

std::string amount(std::int64_t bytes) {
  return to_text(readable({.number = static_cast<double>(bytes), .unit = find_unit("B")}));
}

// Both ways leave out O_CLOEXEC: fio is to inherit the descriptor.
int open_nameless(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return fd;
  // NFS and some others know no O_TMPFILE. There the name lives for the moment between these two calls.
  std::string name = directory + "/.rackproof-XXXXXX";
  const int named = ::mkstemp(name.data());
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

ScratchFile::ScratchFile(const std::string& directory, std::int64_t bytes) : fd_(open_nameless(directory)) {
  if (fd_ < 0) throw Trouble{"no file can be made in " + directory + ": " + reason()};
  try {
    const int direct = ::open(path().c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);
    if (direct < 0 && errno == EINVAL) throw Skip{"the filesystem of " + directory + " has no direct I/O"};
    if (direct < 0) throw Trouble{"the file in " + directory + " cannot be opened for direct I/O: " + reason()};
    ::close(direct);
    // Not posix_fallocate: where the filesystem has none it writes a byte into every block instead.
    const bool reserved = ::fallocate(fd_, 0, 0, bytes) == 0 ||
                          ((errno == EOPNOTSUPP || errno == ENOSYS) && ::ftruncate(fd_, bytes) == 0);
    if (!reserved) throw Trouble{"no room for " + amount(bytes) + " in " + directory + ": " + reason()};
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

ScratchFile::~ScratchFile() { ::close(fd_); }

FreeSpace room_in(const std::string& directory) {
  struct statvfs facts {};
  if (::statvfs(directory.c_str(), &facts) != 0) throw Trouble{directory + ": " + reason()};
  const auto unit = static_cast<std::int64_t>(facts.f_frsize);
  return {.free_bytes = static_cast<std::int64_t>(facts.f_bavail) * unit,
          .total_bytes = static_cast<std::int64_t>(facts.f_blocks) * unit};
}

std::string no_room(const FreeSpace& room, std::int64_t bytes) {
  const std::int64_t kept = std::min(room.total_bytes / 10, kKeptFree);
  if (bytes <= room.free_bytes - kept) return "";
  return amount(room.free_bytes) + " are free of " + amount(room.total_bytes) + ", and a file of " + amount(bytes) +
         " must leave " + amount(kept) + " free";
}

}  // namespace rackproof
