// One GPU under load in one precision: its memory, what is queued on it, and what its products looked like.
#pragma once

#include <cuda_runtime.h>

#include <deque>
#include <string>
#include <vector>

#include "checks/gpu/burn_history.h"
#include "checks/gpu/burn_plan.h"
#include "checks/gpu/burn_reference.h"
#include "checks/gpu/burn_verdict.h"
#include "checks/gpu/cuda_devices.h"
#include "checks/gpu/cuda_handles.h"
#include "checks/gpu/gemm.h"
#include "checks/gpu/gemm_digests.h"

namespace rackproof {

// The same for all GPUs of a kind.
struct BurnSetup {
  const Precision* precision = nullptr;
  BurnPlan plan;
  cublasLtMatmulAlgo_t algorithm{};
  std::size_t workspace = 0;
  int beats = 1;           // of a window
  int beats_of_sample = 1;  // a pulse is more than one sample
};

class BurningGpu {
 public:
  // Throws CudaError or CublasError.
  BurningGpu(const Gpu&, const BurnSetup&);
  BurningGpu(const BurningGpu&) = delete;
  BurningGpu& operator=(const BurningGpu&) = delete;
  ~BurningGpu();

  const Gpu& gpu() const { return gpu_; }
  Stream& stream() { return stream_; }

  void fill(const Seeds&);
  // Queues everything once that is queued later, and records the graph; `entries_landed` says when it has run. Code that a
  // GPU has not run before is loaded, and that waits for all that was queued, which later waits for the gate.
  void prepare(const Seeds&);
  // Queues one window; `pause_ns` of idleness before it or behind it. At most two are in flight.
  void enqueue_window(std::int64_t pause_before_ns = 0, std::int64_t pause_behind_ns = 0);
  std::size_t in_flight() const { return in_flight_.size(); }
  const CudaEvent& oldest_end() const { return slots_[in_flight_.front()].closed; }
  // What the oldest window gave. It must have ended.
  struct Window {
    std::vector<Sample> samples;  // of the calls that were timed: operations, and how long they took
    std::int64_t total_ns = 0;    // from its begin to its end, pauses too
    std::int64_t products = 0;    // all that were computed
    std::int64_t not_finite = 0;  // elements of these
  };
  Window take_window(DigestTally&);

  // Queues the look at single entries of the last products; read_entries() is for when `entries_landed` has happened.
  void enqueue_entries(const Seeds&);
  const CudaEvent& entries_landed() const { return entries_landed_; }
  std::vector<std::uint64_t> read_entries() const;
  // The first of the last products, as it lies in memory. Waits; throws Trouble when it does not come.
  std::vector<unsigned char> read_product();

 private:
  struct Slot {
    explicit Slot(int gpu, int beats);
    CudaEvent opened;
    CudaEvent closed;
    std::vector<CudaEvent> begins;  // of the timed call of each beat
    std::vector<CudaEvent> ends;
    Digest* landed = nullptr;
  };
  void enqueue_digests(int call);
  void record_graph();
  Products products() const;

  const Gpu gpu_;
  const BurnSetup setup_;
  Stream stream_;
  Cublas library_;
  Gemm gemm_;
  DeviceMemory a_;
  DeviceMemory b_;
  DeviceMemory products_;
  DeviceMemory workspace_;
  DeviceMemory scratch_;
  DeviceMemory digests_;
  DeviceMemory entries_;
  PinnedMemory landed_;
  PinnedMemory landed_entries_;
  CudaEvent entries_landed_;
  cudaGraphExec_t rest_of_beat_ = nullptr;  // all calls but the first
  std::vector<Slot> slots_;
  std::deque<std::size_t> in_flight_;
  std::size_t next_slot_ = 0;
};

}  // namespace rackproof
