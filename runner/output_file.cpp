#include "runner/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "runner/input_error.h"

namespace rackproof {

OutputFile::OutputFile(std::string path) : path_(std::move(path)) {
  namespace fs = std::filesystem;
  std::error_code none;
  const bool is_file = fs::is_regular_file(path_, none);
  if (is_file) path_ = fs::canonical(path_).string();  // what a symbolic link leads to, not the link
  const bool is_replaced = is_file || !fs::exists(path_, none);
  beside_ = is_replaced ? fmt::format("{}.{}.part", path_, ::getpid()) : path_;
  stream_.open(beside_, std::ios::binary | std::ios::trunc);
  if (!stream_) throw InputError(fmt::format("{}: {}", path_, std::strerror(errno)));
}

OutputFile::~OutputFile() {
  if (committed_ || beside_ == path_) return;
  stream_.close();
  ::unlink(beside_.c_str());
}

void OutputFile::commit() {
  errno = 0;
  stream_.close();
  bool written = !stream_.fail();
  if (written && beside_ != path_) {
    const int fd = ::open(beside_.c_str(), O_RDONLY | O_CLOEXEC);
    written = fd >= 0 && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    written = written && std::rename(beside_.c_str(), path_.c_str()) == 0;
  }
  if (!written) {
    const char* why = errno == 0 ? "the device took only a part of it" : std::strerror(errno);
    throw InputError(fmt::format("{} could not be written: {}", path_, why));
  }
  committed_ = true;
}

}  // namespace rackproof
