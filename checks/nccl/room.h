// How much memory the GPUs have for the data of a collective.
#pragma once

#include <cstddef>
#include <vector>

#include "checks/gpu/cuda_devices.h"

namespace rackproof {

// Bytes that each of them has. Throws Trouble, with its id, for one that has less than `at_least`.
std::size_t room_of(const std::vector<Gpu>&, std::size_t at_least);

}  // namespace rackproof
