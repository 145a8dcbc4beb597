// The topology and the graphs of a simulated node in the XML that NCCL writes.
#pragma once

#include <string>
#include <vector>

#include "tests/simulator/machine.h"

namespace rackproof::simulator {

// `gpus`: the profile's numbers, by rank.
std::string topology_xml(const Machine&, const std::vector<int>& gpus);
std::string graphs_xml(const Machine&, const std::vector<int>& gpus);

}  // namespace rackproof::simulator
