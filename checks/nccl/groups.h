// Collectives over the GPUs of several nodes: this process is one of several ranks, drives all GPUs of its node, and in
// each round belongs to a group of nodes whose GPUs make one communicator.
#pragma once

#include "checks/api/check.h"

namespace rackproof {

// All rounds that the runner gave. Throws Skip and Trouble where this node can take part in none, which the others then
// know.
void measure_groups(Context&);

}  // namespace rackproof
