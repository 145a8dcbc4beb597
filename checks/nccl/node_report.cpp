#include "checks/nccl/node_report.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "checks/api/pci.h"

namespace rackproof {
namespace {

constexpr std::string_view kNvswitch = "0x068000";
constexpr std::string_view kHidden = "fffffff:ffff:ff";  // a virtual machine hides it

class NodeReport {
 public:
  explicit NodeReport(Context& context) : context_(context), on_pci_(pci_devices(context.sysroot())) {}

  void describe(const NcclGpu& gpu) {
    const std::string id = pci_id(gpu.address);
    device(gpu.address, "gpu", {{"nccl_rank", std::int64_t{gpu.rank}}});
    context_.measure("nvlinks", id, gpu.links());
    bool is_hidden = false;
    for (const NcclNvlinks& link : gpu.nvlinks) {
      if (link.target.empty() || link.target.starts_with(kHidden)) {
        is_hidden = true;
        continue;
      }
      const bool is_switch = link.target_class.starts_with(kNvswitch);
      // Between two GPUs both ends say it; the first one's word is enough.
      if (!is_switch && link.target < gpu.address) continue;
      if (is_switch && described_.insert(link.target).second) device(link.target, "nvswitch", {});
      context_.link({.from = id,
                     .to = pci_id(link.target),
                     .kind = "nvlink",
                     .facts = {{"links", std::int64_t{link.count}},
                               {"nccl_budget_gbs", link.count * nvlink_budget_gbs(gpu.compute)}}});
    }
    if (is_hidden) context_.note(id + ": a virtual machine hides where its NVLinks lead");
  }

  void describe(const NcclNet& net) {
    if (net.address.empty()) return context_.note("NCCL uses " + net.name + ", and knows no PCI device of it");
    device(net.address, "nic", {{"nccl_name", net.name}, {"nccl_speed_gbs", net.gbs}});
  }

 private:
  void device(const std::string& address, const std::string& kind, Facts facts) {
    const auto place = std::ranges::find(on_pci_, address, &PciDevice::address);
    context_.device({.id = pci_id(address),
                     .kind = kind,
                     .name = {},
                     .parent = place == on_pci_.end() ? "machine" : pci_parent_id(*place),
                     .facts = std::move(facts)});
  }

  Context& context_;
  std::vector<PciDevice> on_pci_;
  std::set<std::string> described_;
};

struct Files {
  NcclTopology topology;
  std::vector<NcclGraph> graphs;
};

std::optional<Files> read(Context& context, const DumpFolder& folder) {
  try {
    const auto topology = folder.topology();
    const auto graphs = folder.graphs();
    if (topology && graphs) {
      return Files{parse_topology(*topology, "NCCL's topology"), parse_graphs(*graphs, "NCCL's graphs")};
    }
    context.note("NCCL wrote no topology or no graphs, so its budget is not known");
  } catch (const Trouble& trouble) {
    context.note(trouble.why);
  }
  return std::nullopt;
}

void describe(Context& context, const NcclTopology& topology) {
  NodeReport report(context);
  for (const NcclGpu& gpu : topology.gpus) report.describe(gpu);
  for (const NcclNet& net : topology.nets) report.describe(net);
}

}  // namespace

void measure_budget(Context& context, std::string_view device, const std::optional<NcclBudget>& budget) {
  if (!budget) return context.note("NCCL found no graph for these GPUs, so its budget is not known");
  context.measure("budget", device, budget->gbs);
  context.measure("channels", device, budget->channels);
}

NodeFound report_node(Context& context, const DumpFolder& folder, Collective what, int ranks) {
  const auto files = read(context, folder);
  if (!files) return {};
  describe(context, files->topology);
  const int compute = files->topology.gpus.empty() ? 0 : files->topology.gpus.front().compute;
  NodeFound found{budget_of(files->graphs, what, ranks, compute), files->topology.nets.size()};
  measure_budget(context, "", found.budget);
  return found;
}

NodeFound report_node_of_group(Context& context, const DumpFolder& folder, bool is_new) {
  const auto files = read(context, folder);
  if (!files) return {};
  if (is_new) describe(context, files->topology);
  return {budget_between_nodes(files->graphs), files->topology.nets.size()};
}

}  // namespace rackproof
