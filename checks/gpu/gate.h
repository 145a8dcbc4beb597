// Holds streams back until everything is queued behind them, so that what is timed holds no launch of its own and all
// GPUs start together.
#pragma once

#include "checks/gpu/cuda_handles.h"

namespace rackproof {

class Gate {
 public:
  Gate();
  // What is put into the stream after this waits until open(). A GPU waits ten seconds at the most.
  void hold(const Stream&);
  void open();
  // For the next use. Everything that was held must have run.
  void close();

 private:
  PinnedMemory flag_;
};

}  // namespace rackproof
