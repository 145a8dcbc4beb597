#include "checks/nccl/room.h"

#include <algorithm>
#include <string>

#include "checks/api/last_word.h"
#include "checks/api/quantity.h"
#include "checks/gpu/cuda_handles.h"
#include "checks/nccl/rounds.h"

namespace rackproof {

std::size_t room_of(const std::vector<Gpu>& gpus, std::size_t at_least) {
  std::size_t room = static_cast<std::size_t>(-1);
  for (const Gpu& gpu : gpus) {
    use_gpu(gpu.index);
    std::size_t free = 0;
    std::size_t all = 0;
    cuda_call(cudaMemGetInfo(&free, &all), "cudaMemGetInfo", gpu.index);
    // NCCL takes more when it first uses an algorithm.
    const std::size_t kept = all / 20 + Rounds::need_for_all(gpu);
    const std::size_t here = free > kept ? free - kept : 0;
    if (here < at_least) {
      throw Trouble{gpu.id + " has only " + to_text(readable({static_cast<double>(free), find_unit("B")})) +
                    " of free memory"};
    }
    room = std::min(room, here);
  }
  return room;
}

}  // namespace rackproof
