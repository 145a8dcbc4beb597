// What NCCL found of the node, as devices and links, and what bandwidth it expects of them.
#pragma once

#include <optional>

#include "checks/api/check.h"
#include "checks/nccl/dump_folder.h"
#include "checks/nccl/graph_xml.h"

namespace rackproof {

// Reports GPUs, NVLinks and adapters of NCCL's topology, measures nvlinks, channels and budget, and notes what NCCL did
// not write or what cannot be read. Gives the budget.
std::optional<NcclBudget> report_node(Context&, const DumpFolder&, Collective, int ranks);

}  // namespace rackproof
