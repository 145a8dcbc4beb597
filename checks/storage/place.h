// Finds and reports what is really measured when a file is made in a directory: filesystem, volumes, disks.
#pragma once

#include <string>

#include "checks/api/check.h"

namespace rackproof {

struct StoragePlace {
  std::string directory;   // without symbolic links
  std::string device;      // id of the device that the measurements belong to
  std::string block_name;  // the same for the kernel; empty where no block device is known
};

// Throws Skip where there is no disk behind the path, Trouble where there is no such directory.
StoragePlace locate(Context&, const std::string& path);

}  // namespace rackproof
