// The GPUs that CUDA shows to this process, by the ids that every check uses for them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/check.h"

namespace rackproof {

struct Gpu {
  int index = 0;        // CUDA's
  std::string address;  // "0000:17:00.0"
  std::string id;       // "pci:0000:17:00.0"
  int compute = 0;      // compute capability times 10: 90
  int multiprocessors = 0;
  std::size_t memory_bytes = 0;
  std::size_t l2_bytes = 0;
  int numa_node = -1;   // of its PCI slot, as the machine's files tell; -1: unknown
};

// Those whose address fits the glob ("*": all of them), in the order of their addresses. Throws Skip when the machine has
// no NVIDIA GPU, and Trouble when it has some that CUDA does not show, saying why: no driver, one that is too old, a glob
// that fits none. One that is shown and does not answer is a fault, and left out.
std::vector<Gpu> visible_gpus(Context&, std::string_view glob);

// Reports them as devices, so that a GPU is one vertex whoever speaks of it.
void describe_gpus(Context&, const std::vector<Gpu>&);

}  // namespace rackproof
