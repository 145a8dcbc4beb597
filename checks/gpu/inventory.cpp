// gpu.inventory: which GPUs there are and how they hang together, and never how they are.
#include <set>
#include <string>

#include "checks/api/check.h"
#include "checks/gpu/inventory_facts.h"
#include "checks/gpu/nvml_gpus.h"

namespace rackproof {
namespace {

void take_inventory(Context& context) {
  const NvidiaGpus gpus = find_nvidia_gpus(context.sysroot());
  context.device(machine_with_driver(gpus.nvml));
  std::set<std::string> addresses;
  for (const NvidiaGpu& gpu : gpus.all) {
    addresses.insert(gpu.address);
    context.device(to_device(gpu));
  }
  std::set<std::string> models;
  for (const NvidiaGpu& gpu : gpus.all) {
    report_state(context, gpu);
    if (!gpu.nvml) continue;
    models.insert(gpu.nvml->name().value_or(""));
    for (const Link& link : nvlink_paths(gpu.address, gpu.nvml->each_nvlink(), addresses)) context.link(link);
  }
  context.measure("gpus", "", static_cast<double>(gpus.count(GpuState::answers)));
  context.measure("models", "", static_cast<double>(models.size()));
}

constexpr rackproof_parameter kParameters[] = {{}};

constexpr rackproof_metric kMetrics[] = {
    {"gpus", "count", "exact", "GPUs that answer"},
    {"models", "count", "exact", "different names among them"},
    {},
};

constexpr const char* kByHand[] = {
    "nvidia-smi -L",
    "nvidia-smi -q | grep -E 'UUID|Serial|VBIOS|Image Version|Module I'",
    "nvidia-smi topo -m",
    nullptr,
};

}  // namespace
}  // namespace rackproof

RACKPROOF_CHECK(.name = "gpu.inventory", .layer = "gpu",
                .summary = "Which GPUs there are: identity, memory, versions, and the NVLinks between them",
                .method =
                    "Asks NVML (libnvidia-ml.so.1, opened at run time) for what each GPU is, and adds it to the device "
                    "that host.inventory knows from PCI.",
                .parameters = rackproof::kParameters, .metrics = rackproof::kMetrics, .by_hand = rackproof::kByHand,
                .run = rackproof::entry<rackproof::take_inventory>)
