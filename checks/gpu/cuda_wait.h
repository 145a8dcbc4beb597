// Waits for GPUs with a bound: a GPU that hangs must not take the check with it.
#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "checks/gpu/cuda_handles.h"

namespace rackproof {

enum class Waited { done, failed, late };

// Polls until the event has happened. `failed` when its GPU reports an error, which `why` then names.
Waited wait_for(const CudaEvent&, std::chrono::milliseconds at_most, std::string& why);

// The same for several GPUs at once, one result for each; the bound is on all of them together.
struct WaitResult {
  Waited how = Waited::late;
  std::string why;
};
std::vector<WaitResult> wait_for_all(std::span<const CudaEvent* const> events, std::chrono::milliseconds at_most);

// For those who can do nothing without it: throws CudaError, or Trouble when it is late, and its GPU hangs.
void need(const CudaEvent&, std::chrono::milliseconds at_most, const char* what);

}  // namespace rackproof
