// A few words that every rank tells every other through NCCL itself: so all of them know the same times, and go on or stop
// alike without any other way between the nodes.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "checks/gpu/cuda_handles.h"
#include "checks/nccl/communicators.h"

namespace rackproof {

inline constexpr std::size_t kToldWords = 12;
using ToldWords = std::array<std::int64_t, kToldWords>;

class Telling {
 public:
  Telling(const std::vector<Gpu>&, Communicators&);

  // Puts into the stream of each of our ranks that it tells its words, and gets those of all.
  void tell(const std::vector<ToldWords>& own, const std::vector<cudaStream_t>&);
  // By rank, once the streams have come there.
  std::vector<ToldWords> told() const;
  // The same without news: nothing behind it begins before all ranks have come to it.
  void align(const std::vector<cudaStream_t>&);

 private:
  Communicators& comms_;
  std::vector<int> gpus_;
  std::vector<ToldWords> own_;  // pageable, and kept until it is read
  std::vector<DeviceMemory> given_, got_;
  PinnedMemory got_here_;  // of our first rank
};

}  // namespace rackproof
