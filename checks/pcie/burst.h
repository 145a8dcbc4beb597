// One burst of copies on any number of GPUs at once, begun together, timed by each GPU, verified before the next.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "checks/gpu/gate.h"
#include "checks/pcie/copy_lane.h"

namespace rackproof {

struct LaneBurst {
  CopyLane* lane = nullptr;
  std::vector<TimedCopy> times;
  std::vector<CopyMismatch> mismatches;
  std::string failure;    // why there is nothing of it; its GPU is of no more use
  bool is_late = false;   // it hangs: not even its memory can be given back
};

// `under_load` is called while the copies run.
std::vector<LaneBurst> run_burst(const std::vector<CopyLane*>&, Gate&, const std::function<void()>& under_load);

}  // namespace rackproof
