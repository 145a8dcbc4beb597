// Fills matrices on a GPU with the elements of operand_values.h.
#pragma once

#include "checks/gpu/cuda_handles.h"
#include "checks/gpu/operand_values.h"

namespace rackproof {

// Elements 0 to `count` of the matrix with this seed. `count` must be a multiple of 16.
void fill_operand(const Stream&, void* matrix, std::size_t count, Format, std::uint64_t seed);

}  // namespace rackproof
