// What one rank of ours holds while collectives run in rounds: its stream, its events, and all memory.
#pragma once

#include <vector>

#include "checks/gpu/cuda_handles.h"
#include "checks/gpu/words.h"
#include "checks/nccl/rounds.h"

namespace rackproof {

// Collectives in one iteration where one would be too short.
inline constexpr int kRepeats = 16;
// Two inputs with different seeds, in turn, so that what an earlier iteration left is never what must come out.
inline constexpr int kInputs = 2;

struct Rounds::Rank {
  Rank(const Gpu& gpu_, int local_, int rank_, std::size_t memory)
      : gpu(gpu_),
        local(local_),
        rank(rank_),
        stream(gpu.index),
        finished(gpu.index),
        data(gpu.index, memory),
        partials{DeviceMemory(gpu.index, hash_partials(gpu.multiprocessors) * sizeof(std::uint64_t)),
                 DeviceMemory(gpu.index, hash_partials(gpu.multiprocessors) * sizeof(std::uint64_t))},
        sums(gpu.index, kIterations * sizeof(std::uint64_t)),
        wrong(gpu.index, kChecked * sizeof(WrongElements)),
        wrong_here(kChecked * sizeof(WrongElements)),
        sums_here(kInputs * sizeof(std::uint64_t)) {
    for (int i = 0; i < kIterations; ++i) {
      starts.emplace_back(gpu.index);
      ends.emplace_back(gpu.index);
    }
  }
  static constexpr std::size_t kChecked = std::size_t{kIterations} * kRepeats;

  const Gpu& gpu;
  int local;
  int rank;
  Stream stream;
  std::vector<CudaEvent> starts, ends;
  CudaEvent finished;
  DeviceMemory data;
  // One for each seed: on the simulator the hash of what was hashed before then costs nothing.
  DeviceMemory partials[kInputs];
  DeviceMemory sums;
  DeviceMemory wrong;
  PinnedMemory wrong_here;
  PinnedMemory sums_here;
  std::uint64_t right[kInputs] = {};
};

}  // namespace rackproof
