// What CUDA_VISIBLE_DEVICES leaves of a node's GPUs.
#pragma once

#include <string_view>
#include <vector>

#include "tests/simulator/profile.h"

namespace rackproof::simulator {

// Of `present` (numbers in the profile) those that a list of indices and beginnings of UUIDs names, in its order. As CUDA
// has it, the first word that names none ends the list.
std::vector<int> visible_devices(const Profile&, const std::vector<int>& present, std::string_view list);

}  // namespace rackproof::simulator
