// Reads facts from /sys, /proc and /etc through one root, so that a captured or invented machine can be replayed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rackproof {

// Paths are given as on the real machine ("/sys/bus/pci/devices"). Symbolic links are resolved inside the root.
class SysRoot {
 public:
  explicit SysRoot(std::string directory);  // throws Trouble when it cannot be opened
  static SysRoot from_environment();        // RACKPROOF_SYSROOT, or "/"
  SysRoot(SysRoot&&) noexcept;
  SysRoot& operator=(SysRoot&&) = delete;
  ~SysRoot();

  bool is_real() const { return directory_ == "/"; }
  const std::string& directory() const { return directory_; }

  // First 1 MiB of the file without its trailing newline; nullopt when it is absent or cannot be read (a network
  // interface without a link answers EINVAL to a read of its speed).
  std::optional<std::string> text(std::string_view path) const;
  // The file's text as a whole decimal or 0x-number; nullopt for anything else.
  std::optional<std::int64_t> integer(std::string_view path) const;
  // Names in a directory, sorted, without "." and ".."; empty when it is absent.
  std::vector<std::string> list(std::string_view path) const;
  // Last component of what a symbolic link points to ("driver" → "nvme"); nullopt when it is none.
  std::optional<std::string> link_name(std::string_view path) const;
  // What a symbolic link points to, as it is stored.
  std::optional<std::string> link_target(std::string_view path) const;
  bool exists(std::string_view path) const;

 private:
  int open(std::string_view path, int flags) const;  // -1 with errno
  std::string directory_;
  int root_ = -1;
};

}  // namespace rackproof
