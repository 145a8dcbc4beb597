// How long a GPU waits for one load from the host's memory: a random walk over more of it than any cache of the GPU holds.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "checks/api/sampler.h"
#include "checks/gpu/cuda_devices.h"
#include "checks/pcie/host_memory.h"

namespace rackproof {

class HostChase {
 public:
  // `cycle` is one of random_cycle(); `gpu` pins the memory.
  HostChase(const std::vector<std::uint64_t>& cycle, int node, int gpu);

  // Steps a second. nullopt: the walk ended elsewhere than it should have, so that a load gave something else than what
  // was stored.
  std::optional<Estimate> measure(const Gpu&) const;
  const HostMemory& memory() const { return memory_; }

 private:
  HostMemory memory_;
  std::uint64_t end_;
};

}  // namespace rackproof
