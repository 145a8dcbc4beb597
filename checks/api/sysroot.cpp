#include "checks/api/sysroot.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

constexpr std::size_t kLongest = 1 << 20;
constexpr int kTries = 10'000;  // some microseconds each

std::string relative(std::string_view path) {
  while (!path.empty() && path.front() == '/') path.remove_prefix(1);
  return path.empty() ? "." : std::string(path);
}

struct Closer {
  int fd;
  ~Closer() {
    if (fd >= 0) ::close(fd);
  }
};

}  // namespace

SysRoot::SysRoot(std::string directory) : directory_(std::move(directory)) {
  while (directory_.size() > 1 && directory_.back() == '/') directory_.pop_back();
  root_ = ::open(directory_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root_ < 0) throw Trouble{"the sysroot " + directory_ + " cannot be opened: " + std::strerror(errno)};
}

SysRoot SysRoot::from_environment() {
  const char* directory = std::getenv("RACKPROOF_SYSROOT");
  return SysRoot(directory != nullptr && *directory != '\0' ? directory : "/");
}

SysRoot::SysRoot(SysRoot&& other) noexcept
    : directory_(std::move(other.directory_)), root_(std::exchange(other.root_, -1)) {}

SysRoot::~SysRoot() {
  if (root_ >= 0) ::close(root_);
}

int SysRoot::open(std::string_view path, int flags) const {
  const std::string inside = relative(path);
  // On the real machine links may lead anywhere (/proc/self/…); in a captured tree they must stay inside it.
  if (is_real()) return ::openat(root_, inside.c_str(), flags | O_CLOEXEC);
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT;
  int fd = -1;
  // EAGAIN: while a ".." was followed, something was renamed or mounted somewhere, so that the kernel could not tell
  // whether the path stays inside (openat2(2)).
  for (int tries = 0; tries < kTries; ++tries) {
    fd = static_cast<int>(::syscall(SYS_openat2, root_, inside.c_str(), &how, sizeof how));
    if (fd >= 0 || errno != EAGAIN) break;
  }
  return fd;
}

std::optional<std::string> SysRoot::text(std::string_view path) const {
  // O_NONBLOCK: a path of a captured tree may name a pipe, and no read of a fact may wait for a writer.
  const Closer file{open(path, O_RDONLY | O_NONBLOCK)};
  if (file.fd < 0) return std::nullopt;
  std::string content;
  char block[4096];
  while (content.size() < kLongest) {
    const ssize_t got = ::read(file.fd, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    content.append(block, static_cast<std::size_t>(got));
  }
  while (!content.empty() && content.back() == '\n') content.pop_back();
  return content;
}

std::optional<std::int64_t> SysRoot::integer(std::string_view path) const {
  const auto content = text(path);
  if (!content) return std::nullopt;
  std::string_view digits = *content;
  int base = 10;
  if (digits.starts_with("0x")) {
    digits.remove_prefix(2);
    base = 16;
    if (digits.starts_with('-')) return std::nullopt;
  }
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (code != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

std::vector<std::string> SysRoot::list(std::string_view path) const {
  const int fd = open(path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return {};
  DIR* directory = ::fdopendir(fd);
  if (directory == nullptr) {
    ::close(fd);
    return {};
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(directory);
  std::ranges::sort(names);
  return names;
}

std::optional<std::string> SysRoot::link_target(std::string_view path) const {
  const Closer link{open(path, O_PATH | O_NOFOLLOW)};
  if (link.fd < 0) return std::nullopt;
  char target[4096];
  const ssize_t length = ::readlinkat(link.fd, "", target, sizeof target);
  if (length <= 0) return std::nullopt;
  return std::string(target, static_cast<std::size_t>(length));
}

std::optional<std::string> SysRoot::link_name(std::string_view path) const {
  auto target = link_target(path);
  if (!target) return std::nullopt;
  return target->substr(target->rfind('/') + 1);
}

bool SysRoot::exists(std::string_view path) const {
  const Closer file{open(path, O_PATH)};
  return file.fd >= 0;
}

}  // namespace rackproof
