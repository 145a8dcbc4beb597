// How large the copies can be with the memory that is free now, on each GPU and on the host.
#pragma once

#include <cstddef>
#include <vector>

#include "checks/api/check.h"
#include "checks/gpu/cuda_devices.h"

namespace rackproof {

// Bytes of one copy, the parameter 'size' or what memory leaves of it. GPUs that are too full are taken out of the list,
// with a note. Throws Trouble when none is left.
std::size_t choose_chunk(Context&, std::vector<Gpu>&);

}  // namespace rackproof
