// The GPUs that CUDA shows to this process, by the ids that every check uses for them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/check.h"
#include "checks/gpu/cuda_environment.h"

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
// no NVIDIA GPU, and Trouble when CUDA shows none of them, saying why: no driver, one that is too old, a glob that fits none;
// and when CUDA_VISIBLE_DEVICES hides one that is meant. One that PCI shows and CUDA does not, or that does not answer, is
// a fault, and left out. The first call on CUDA of a check, whose environment it settles.
std::vector<Gpu> visible_gpus(Context&, std::string_view glob, KernelLoading = KernelLoading::at_start);

// Reports them as devices, so that a GPU is one vertex whoever speaks of it.
void describe_gpus(Context&, const std::vector<Gpu>&);

}  // namespace rackproof
