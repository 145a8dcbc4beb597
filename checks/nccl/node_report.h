// What NCCL found of the node, as devices and links, and what bandwidth it expects of them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "checks/api/check.h"
#include "checks/nccl/dump_folder.h"
#include "checks/nccl/graph_xml.h"

namespace rackproof {

struct NodeFound {
  std::optional<NcclBudget> budget;
  std::size_t adapters = 0;  // that NCCL uses; 0: it wrote none
};

// Reports GPUs, NVLinks and adapters of NCCL's topology, measures nvlinks, and notes what NCCL did not write or what
// cannot be read.
NodeFound report_node(Context&, const DumpFolder&, Collective, int ranks);
// The same where the ranks are on several nodes, of which this is one; `is_new`: its parts have not been reported yet.
NodeFound report_node_of_group(Context&, const DumpFolder&, bool is_new);
// Measures budget and channels.
void measure_budget(Context&, std::string_view device, const std::optional<NcclBudget>&);

}  // namespace rackproof
