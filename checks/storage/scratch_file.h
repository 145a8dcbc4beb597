// The file that is measured: it has no name, so that nothing of it is left however this process ends.
#pragma once

#include <cstdint>
#include <string>

namespace rackproof {

class ScratchFile {
 public:
  // In `directory`, its blocks reserved at once where the filesystem can. Throws Skip where there is no direct I/O, Trouble for the rest.
  ScratchFile(const std::string& directory, std::int64_t bytes);
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile();

  // Names it in this process and in every program that it starts, which inherits the descriptor.
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_ = -1;
};

struct FreeSpace {
  std::int64_t free_bytes = 0;   // for this user
  std::int64_t total_bytes = 0;  // of the filesystem
};
FreeSpace room_in(const std::string& directory);

// Why a file of `bytes` must not be made there; empty when it may. A tenth of the filesystem stays free for whoever
// lives on it, at most 16 GiB.
std::string no_room(const FreeSpace&, std::int64_t bytes);

}  // namespace rackproof
