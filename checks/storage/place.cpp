#include "checks/storage/place.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "checks/storage/block_device.h"
#include "checks/storage/mount_point.h"

namespace rackproof {
namespace {

std::string real_directory(const std::string& path) {
  if (!path.starts_with('/')) throw Trouble{"the path " + path + " is not absolute"};
  char real[PATH_MAX];
  struct stat facts {};
  if (::realpath(path.c_str(), real) == nullptr || ::stat(real, &facts) != 0) {
    throw Trouble{path + ": " + std::strerror(errno)};
  }
  if (!S_ISDIR(facts.st_mode)) throw Trouble{path + " is not a directory"};
  return real;
}

// An overlay keeps what is written in a directory of another filesystem. In a container that one is out of sight.
MountPoint below_overlay(const SysRoot& root, const std::string& mountinfo, MountPoint mount) {
  const std::string upper = mount_option(mount, "upperdir");
  if (mount.type != "overlay" || upper.empty() || !root.exists(upper)) return mount;
  const auto below = mount_of(mountinfo, upper);
  return below && below->type != "overlay" ? *below : mount;
}

StoragePlace without_block_device(Context& context, StoragePlace place, const MountPoint& mount) {
  place.device = "filesystem:" + mount.directory;
  context.device({.id = place.device,
                  .kind = "filesystem",
                  .name = mount.type + " " + mount.source,
                  .parent = "",
                  .facts = {{"type", mount.type}, {"source", mount.source}, {"mounted_at", mount.directory}}});
  context.note(is_over_a_network(mount)
                   ? place.device + " is a network filesystem (" + mount.type + ", " + mount.source +
                         "): the network and the server are part of every figure"
                   : "no block device is known behind " + mount.type + " at " + mount.directory +
                         ", so it cannot be told how much reached a disk");
  return place;
}

}  // namespace

StoragePlace locate(Context& context, const std::string& path) {
  const SysRoot& root = context.sysroot();
  StoragePlace place{.directory = real_directory(path), .device = "", .block_name = ""};
  if (place.directory != path) context.note(path + " leads to " + place.directory + ", which is measured");

  const std::string mountinfo = root.text("/proc/self/mountinfo").value_or("");
  auto mount = mount_of(mountinfo, place.directory);
  if (!mount && root.is_real()) mount = mount_by_number(place.directory);
  if (!mount) throw Trouble{"/proc/self/mountinfo names no filesystem for " + place.directory};
  mount = below_overlay(root, mountinfo, *mount);
  if (is_in_memory(*mount)) throw Skip{place.directory + " is on " + mount->type + ", which is memory"};

  const std::string top = block_device_of(root, *mount);
  if (top.empty()) return without_block_device(context, place, *mount);

  const auto devices = block_devices_under(root, top);
  place.block_name = common_device(devices);
  if (is_memory_disk(place.block_name)) {
    throw Skip{place.directory + " is on " + place.block_name + ", which is memory"};
  }
  place.device = "block:" + place.block_name;
  for (const BlockDevice& device : devices) context.device(to_device(device));
  for (const BlockDevice& device : devices) {
    for (const Link& link : links_of(device)) context.link(link);
  }

  std::string chain;
  for (const BlockDevice& device : devices) chain += (chain.empty() ? "" : ", ") + device.name;
  context.note(place.directory + " is on " + mount->type + " (" + mount->source + " at " + mount->directory +
               "), built on " + chain + "; measured as " + place.device);
  if (place.block_name.starts_with("loop")) {
    context.note(place.device + " is itself a file, of another filesystem: its figures are of both");
  }
  return place;
}

}  // namespace rackproof
