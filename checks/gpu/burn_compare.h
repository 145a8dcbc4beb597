// Compares what GPUs of one kind made of the same operands, and finds out which of them is wrong.
#pragma once

#include <span>

#include "checks/gpu/burn_load.h"
#include "checks/gpu/burn_run.h"

namespace rackproof {

// After each round. Where GPUs differ, the majority is right; where there is none, the one entry in which they differ is
// computed on the host. What is still open then is the fault of all of them.
void compare_round(Context&, BurnLoad&, std::span<BurnRun> of_a_kind, const Seeds&);

}  // namespace rackproof
