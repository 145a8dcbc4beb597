// Which GPU reaches which other one's memory, and over how many NVLinks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "checks/gpu/crew.h"
#include "checks/gpu/p2p_plan.h"

namespace rackproof {

struct Access {
  std::vector<std::vector<bool>> reaches;  // by from and to, of the GPU that reads or writes and the one that is read
  std::vector<std::int64_t> nvlinks;       // up; -1: not told
  // Of each GPU, how many of its links end at which PCI address: a switch's, or a GPU's where they are wired directly.
  std::vector<std::map<std::string, std::int64_t>> remotes;
  std::vector<std::string> addresses;

  // Links that a copy between these two can use: those that join them, or the fewer of the two GPUs' where a switch does.
  std::int64_t nvlinks_between(Pair) const;
};

// Opens every access that there is, and reports `peers` and `nvlinks` of each GPU.
Access open_access(Context&, Crew&);

}  // namespace rackproof
