#include "checks/storage/mount_point.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <vector>

namespace rackproof {
namespace {

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// The kernel writes blank, tab, newline and backslash as a backslash and three octal digits.
std::string unescaped(std::string_view text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view digits = text.substr(i + 1, 3);
    if (text[i] == '\\' && digits.size() == 3 && std::ranges::all_of(digits, is_octal)) {
      plain.push_back(static_cast<char>((digits[0] - '0') * 64 + (digits[1] - '0') * 8 + (digits[2] - '0')));
      i += 3;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

// Fields: id parent major:minor root directory options [tag…] - type source options (proc(5)).
std::optional<MountPoint> parse(std::string_view line) {
  const auto fields = split(line, ' ');
  const auto dash = std::ranges::find(fields, "-");
  if (dash - fields.begin() < 6 || fields.end() - dash < 4) return std::nullopt;
  return MountPoint{.directory = unescaped(fields[4]),
                    .type = std::string(dash[1]),
                    .source = unescaped(dash[2]),
                    .device_number = std::string(fields[2]),
                    .options = unescaped(dash[3])};
}

bool is_inside(std::string_view path, std::string_view directory) {
  if (directory == "/") return path.starts_with('/');
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

std::optional<MountPoint> mount_of(std::string_view mountinfo, std::string_view path) {
  std::optional<MountPoint> found;
  for (const std::string_view line : split(mountinfo, '\n')) {
    auto mount = parse(line);
    if (!mount || !is_inside(path, mount->directory)) continue;
    if (!found || mount->directory.size() >= found->directory.size()) found = std::move(mount);
  }
  return found;
}

std::optional<MountPoint> mount_by_number(const std::string& path) {
  struct stat facts {};
  struct statfs filesystem {};
  if (::stat(path.c_str(), &facts) != 0 || ::statfs(path.c_str(), &filesystem) != 0) return std::nullopt;
  MountPoint mount;
  mount.directory = "/";
  mount.type = filesystem.f_type == TMPFS_MAGIC ? "tmpfs" : filesystem.f_type == RAMFS_MAGIC ? "ramfs" : "unknown";
  mount.device_number = std::to_string(major(facts.st_dev)) + ":" + std::to_string(minor(facts.st_dev));
  return mount;
}

std::string mount_option(const MountPoint& mount, std::string_view name) {
  for (const std::string_view option : split(mount.options, ',')) {
    if (option.size() > name.size() && option.starts_with(name) && option[name.size()] == '=') {
      return std::string(option.substr(name.size() + 1));
    }
  }
  return "";
}

bool is_in_memory(const MountPoint& mount) {
  static constexpr std::array<std::string_view, 8> kTypes{"tmpfs", "ramfs",  "devtmpfs", "hugetlbfs",
                                                          "proc",  "sysfs", "cgroup",   "cgroup2"};
  return std::ranges::find(kTypes, mount.type) != kTypes.end();
}

bool is_over_a_network(const MountPoint& mount) {
  static constexpr std::array<std::string_view, 14> kTypes{
      "nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "gpfs", "beegfs", "glusterfs", "pvfs2", "afs", "9p", "virtiofs",
      "wekafs"};
  // Most parallel filesystems without a kernel part of their own come through FUSE; fuseblk is a local disk.
  return std::ranges::find(kTypes, mount.type) != kTypes.end() || mount.type == "fuse" ||
         mount.type.starts_with("fuse.");
}

}  // namespace rackproof
