// Which filesystem a path is on, read from the kernel's list of mounts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rackproof {

struct MountPoint {
  std::string directory;      // where it is mounted
  std::string type;           // "ext4", "nfs4"
  std::string source;         // "/dev/vda", "server:/export"
  std::string device_number;  // "254:0"; major 0 where no one block device is behind it
  std::string options;        // of the filesystem, as "upperdir=…" of an overlay
  bool operator==(const MountPoint&) const = default;
};

// `mountinfo` is the text of /proc/self/mountinfo, `path` absolute and free of symbolic links. Of several mounts over
// one directory the last is the visible one.
std::optional<MountPoint> mount_of(std::string_view mountinfo, std::string_view path);

// For a path that the list of mounts does not cover (the root of a chroot is no mount): what the path itself tells.
std::optional<MountPoint> mount_by_number(const std::string& path);

// What stands behind "name=" in the options; empty when absent.
std::string mount_option(const MountPoint&, std::string_view name);

bool is_in_memory(const MountPoint&);
bool is_over_a_network(const MountPoint&);

}  // namespace rackproof
