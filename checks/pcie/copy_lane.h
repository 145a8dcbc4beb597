// One direction between one GPU and one piece of host memory: bursts of timed copies, each of which is verified.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "checks/gpu/cuda_devices.h"
#include "checks/gpu/cuda_handles.h"
#include "checks/gpu/words.h"
#include "checks/pcie/copy_history.h"
#include "checks/pcie/copy_plan.h"
#include "checks/pcie/host_memory.h"

namespace rackproof {

using Hashes = std::array<std::uint64_t, kSources>;
Hashes expected_hashes(const CopyPattern&);

// A GPU's side of its copies: what is read by those to the host, and where those from the host go.
struct DeviceSide {
  DeviceSide(const Gpu&, const CopyPattern&);
  const Gpu& gpu;
  DeviceMemory sources;
  DeviceMemory ring;
  std::uint64_t copies = 0;  // into the ring so far
};

// The host's side, on one NUMA node. The sources are written by the CPU, so that they owe nothing to the link.
struct HostSide {
  HostSide(const Gpu&, const CopyPattern&, int node);
  HostMemory sources;
  HostMemory ring;
  std::uint64_t copies = 0;
};

// A copy that came out wrong.
struct CopyMismatch {
  std::uint64_t copy = 0;  // its number, from 0
  WordErrors words{};      // `first` counts words from the chunk's begin
  bool is_source_wrong = false;  // the GPU's memory that was copied from is not what was written there
};

// Neither side may be used by another lane of the same direction while a burst of this one is under way.
class CopyLane {
 public:
  CopyLane(DeviceSide&, HostSide&, const CopyPattern&, const Hashes&, Direction);

  const Gpu& gpu() const { return device_.gpu; }
  Direction direction() const { return direction_; }
  const Stream& stream() const { return stream_; }

  // kRing copies, to be put behind a gate.
  void queue_copies();
  const CudaEvent& copied() const { return marks_.back(); }
  std::vector<TimedCopy> times() const;  // of this burst; nothing else may be asked before copied() has happened

  // Then the hashes of all places of the ring, by this GPU: in its own memory, or through the link in the host's.
  void queue_hashes();
  const CudaEvent& hashed() const { return hashed_; }
  // Looks closer at every copy whose hash is wrong.
  std::vector<CopyMismatch> mismatches();

 private:
  std::uint64_t number(std::size_t place) const { return copies() - kRing + place; }
  std::uint64_t& copies() const { return direction_ == Direction::h2d ? device_.copies : host_.copies; }
  std::uint64_t* source(std::uint64_t number) const;
  std::uint64_t* place(std::uint64_t number) const;
  WordErrors look(const std::uint64_t* memory, std::uint64_t seed);  // by the GPU

  DeviceSide& device_;
  HostSide& host_;
  const CopyPattern& pattern_;
  const Hashes& expected_;
  Direction direction_;
  Stream stream_;
  std::vector<CudaEvent> marks_;  // before the first copy, and after each
  CudaEvent hashed_;
  CudaEvent looked_;
  int hashed_by_;          // multiprocessors
  DeviceMemory partials_;  // for each source its own
  PinnedMemory sums_;      // by place
  PinnedMemory errors_;
};

}  // namespace rackproof
