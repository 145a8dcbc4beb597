// GPUs that do the same work at once, driven by one thread. One that dies, or does not come to an end, is named by a fault
// and left out from then on; the others go on.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/check.h"
#include "checks/gpu/cuda_devices.h"
#include "checks/gpu/cuda_handles.h"
#include "checks/gpu/gate.h"

namespace rackproof {

// One GPU of the crew: its stream, and the two events that time what it does.
struct Hand {
  explicit Hand(const Gpu& of) : gpu(of), stream(of.index), begin(of.index), end(of.index) {}
  Gpu gpu;
  Stream stream;
  CudaEvent begin;
  CudaEvent end;
  std::size_t number = 0;  // in its crew
  bool is_out = false;
};

class Crew {
 public:
  Crew(Context&, const std::vector<Gpu>&);

  std::vector<Hand>& hands() { return hands_; }
  std::size_t size() const { return hands_.size(); }
  bool is_gone() const;  // nobody is left

  // Does something on a GPU that is still there; false when it was not, or is not any more.
  bool attempt(Hand&, const std::function<void()>&);

  // Queues work on everybody who is there, lets all begin together, and waits. `queue` puts work into the hand's stream.
  // Gives the device time of each in ns; 0: it is out.
  std::vector<std::int64_t> together(const std::function<void(Hand&)>& queue, std::chrono::milliseconds at_most);

  // Names it by a fault and leaves it out.
  void leave_out(Hand&, std::string_view code, std::string_view why);

 private:
  Context& context_;
  std::vector<Hand> hands_;
  Gate gate_;
};

}  // namespace rackproof
