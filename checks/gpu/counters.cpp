// gpu.counters: error counters of GPUs that only ever rise. Read before and after another check, their differences say
// what went wrong meanwhile.
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/gpu/health_figures.h"
#include "checks/gpu/health_xids.h"
#include "checks/gpu/inventory_facts.h"
#include "checks/gpu/nvml_gpus.h"

namespace rackproof {
namespace {

void read_counters(Context& context) {
  NvidiaGpus gpus = find_nvidia_gpus(context.sysroot());
  const auto xids = recent_xids(context, 0);
  Unreported unreported;
  for (NvidiaGpu& gpu : gpus.all) {
    context.device(to_device(gpu));
    if (gpu.nvml) measure(context, gpu.id(), counter_figures(), GpuReading(*gpu.nvml), unreported);
    if (xids) context.measure("xid_errors", gpu.id(), static_cast<double>(count_xids(*xids, gpu.address, true)));
    gpus.look_again(gpu);
  }
  // A watch has no other way to say that a GPU is gone: of what it says only numbers are kept.
  context.measure("gpus_gone", "", static_cast<double>(gpus.all.size() - gpus.count(GpuState::answers)));
  for (const std::string& sentence : unreported.sentences()) context.note(sentence);
}

constexpr rackproof_parameter kParameters[] = {{}};

constexpr rackproof_metric kMore[] = {
    {"gpus_gone", "count", "lower", "GPUs that are known and do not answer"},
    {"xid_errors", "count", "lower", "errors of the GPU in the kernel's log, without those that a program can cause"},
};

const rackproof_metric* metrics() {
  static const std::vector<rackproof_metric> all = declared(counter_figures(), kMore);
  return all.data();
}

constexpr const char* kByHand[] = {
    "nvidia-smi --query-gpu=pci.bus_id,ecc.errors.corrected.volatile.total,ecc.errors.uncorrected.volatile.total "
    "--format=csv",
    "nvidia-smi --query-remapped-rows=gpu_bus_id,remapped_rows.correctable,remapped_rows.uncorrectable --format=csv",
    "nvidia-smi nvlink -e",
    "dmesg | grep 'NVRM: Xid'",
    nullptr,
};

}  // namespace
}  // namespace rackproof

RACKPROOF_CHECK(.name = "gpu.counters", .layer = "gpu",
                .summary = "Error counters of GPUs that only ever rise",
                .method =
                    "Asks NVML for each counter once. Read before and after another check (`watch: [gpu.counters]`), "
                    "the differences are what happened meanwhile.",
                .parameters = rackproof::kParameters, .metrics = rackproof::metrics(), .by_hand = rackproof::kByHand,
                .run = rackproof::entry<rackproof::read_counters>)
