// What is said of GPUs after they burned: figures, and the faults of those whose products are wrong.
#pragma once

#include <span>

#include "checks/api/check.h"
#include "checks/gpu/burn_run.h"

namespace rackproof {

// After a precision: figures of each GPU, and faults.
void report_precision(Context&, std::span<BurnRun> of_a_kind, bool is_steady_load);

// At the end.
void report_member(Context&, const BurnMember&);

}  // namespace rackproof
