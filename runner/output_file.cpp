#include "runner/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "runner/input_error.h"

namespace rackproof {

OutputFile::OutputFile(std::string path) : path_(std::move(path)), beside_(fmt::format("{}.{}.part", path_, ::getpid())) {
  stream_.open(beside_, std::ios::binary | std::ios::trunc);
  if (!stream_) throw InputError(fmt::format("{}: {}", path_, std::strerror(errno)));
}

OutputFile::~OutputFile() {
  if (committed_) return;
  stream_.close();
  ::unlink(beside_.c_str());
}

void OutputFile::commit() {
  stream_.close();
  const int fd = stream_.fail() ? -1 : ::open(beside_.c_str(), O_RDONLY | O_CLOEXEC);
  const bool written = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  if (!written || std::rename(beside_.c_str(), path_.c_str()) != 0) {
    throw std::runtime_error(fmt::format("{} could not be written: {}", path_, std::strerror(errno)));
  }
  committed_ = true;
}

}  // namespace rackproof
