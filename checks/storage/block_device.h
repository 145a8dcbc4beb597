// The block devices behind a filesystem, from the one it is mounted from down to the physical disks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/report.h"
#include "checks/api/sysroot.h"
#include "checks/storage/mount_point.h"

namespace rackproof {

struct BlockDevice {
  std::string name;                // the kernel's: "nvme0n1", "dm-0"
  std::vector<std::string> lower;  // what it is built on: a partition's disk, the members of an array
  bool is_partition = false;
  std::string pci;  // address of the controller, "0000:01:00.0"; empty where there is none
  Facts facts;
};

// Name of the device that a filesystem is mounted from; empty where there is none (NFS) or it cannot be told (ZFS).
std::string block_device_of(const SysRoot&, const MountPoint&);

// The device `name` and all below it, every one once, upper ones first.
std::vector<BlockDevice> block_devices_under(const SysRoot&, const std::string& name);

// The lowest device that every byte passes: the disk under a partition or a single-disk volume, or the array itself.
std::string common_device(const std::vector<BlockDevice>&);

// What the kernel counted for a device since it appeared.
struct BlockCounters {
  std::int64_t bytes_read = 0;
  std::int64_t bytes_written = 0;
};
std::optional<BlockCounters> block_counters(const SysRoot&, const std::string& name);

// Disks that are memory ("zram0", "ram1").
bool is_memory_disk(std::string_view name);

// The devices and links as they are reported.
Device to_device(const BlockDevice&);
std::vector<Link> links_of(const BlockDevice&);

}  // namespace rackproof
