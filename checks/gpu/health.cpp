// gpu.health: everything that the driver tells of each GPU's condition, without any load.
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/pci.h"
#include "checks/gpu/health_figures.h"
#include "checks/gpu/health_xids.h"
#include "checks/gpu/inventory_facts.h"
#include "checks/gpu/nvml_gpus.h"

namespace rackproof {
namespace {

constexpr double kLongestSince = 366.0 * 24 * 3600;  // s

void note_processes(Context& context, const std::string& id, const NvmlGpu& gpu) {
  constexpr std::size_t kMostNamed = 8;
  const auto processes = gpu.processes();
  if (!processes || processes->empty()) return;
  std::string text = id + ": somebody computes on it: ";
  for (std::size_t i = 0; i < std::min(processes->size(), kMostNamed); ++i) {
    text += (i == 0 ? "process " : ", ") + std::to_string((*processes)[i].pid);
  }
  if (processes->size() > kMostNamed) text += " and " + std::to_string(processes->size() - kMostNamed) + " more";
  context.note(text);
}

void note_nvlinks(Context& context, const std::string& id, const std::vector<NvmlGpu::Nvlink>& links) {
  std::string down;
  for (const NvmlGpu::Nvlink& link : links) {
    if (!link.active) down += (down.empty() ? "" : ", ") + std::to_string(link.number);
    if (link.errors() == 0) continue;
    std::string counts;
    const auto add = [&](const std::optional<std::int64_t>& count, const char* what) {
      if (count.value_or(0) > 0) counts += (counts.empty() ? "" : ", ") + std::to_string(*count) + " " + what;
    };
    add(link.crc_flit, "flow control checksum errors");
    add(link.crc_data, "data checksum errors");
    add(link.replays, "replays");
    add(link.recoveries, "recoveries");
    context.note(id + ": NVLink " + std::to_string(link.number) + ": " + counts);
  }
  if (!down.empty()) context.note(id + ": NVLinks that are down: " + down);
}

void measure_gpu(Context& context, const NvidiaGpu& gpu, const std::set<std::string>& addresses,
                 Unreported& unreported) {
  const std::string id = gpu.id();
  const GpuReading reading(*gpu.nvml);
  for (const Link& link : nvlink_paths(gpu.address, reading.nvlinks, addresses)) context.link(link);
  measure(context, id, health_figures(), reading, unreported);
  note_nvlinks(context, id, reading.nvlinks);
  note_processes(context, id, *gpu.nvml);
}

void measure_xids(Context& context, const NvidiaGpus& gpus, double since_s) {
  const auto xids = recent_xids(context, since_s);
  if (!xids) return;
  const auto say = [&](const std::string& address) {
    if (const std::string text = xid_sentence(*xids, address); !text.empty()) context.note(text);
  };
  for (const NvidiaGpu& gpu : gpus.all) {
    context.measure("xid", gpu.id(), static_cast<double>(count_xids(*xids, gpu.address, false)));
    context.measure("xid_hardware", gpu.id(), static_cast<double>(count_xids(*xids, gpu.address, true)));
    say(gpu.address);
  }
  for (const PciDevice& device : pci_devices(context.sysroot())) {
    if (device.kind != "nvswitch") continue;
    context.measure("sxid", pci_id(device.address), static_cast<double>(count_xids(*xids, device.address, false)));
    say(device.address);
  }
}

void measure_health(Context& context) {
  const double since = context.param<double>("since");
  if (since < 0 || since > kLongestSince) throw Trouble{"the parameter 'since' is not between 0 s and a year"};

  NvidiaGpus gpus = find_nvidia_gpus(context.sysroot());
  context.device(machine_with_driver(gpus.nvml));
  std::set<std::string> addresses;
  for (const NvidiaGpu& gpu : gpus.all) {
    addresses.insert(gpu.address);
    context.device(to_device(gpu));
  }
  Unreported unreported;
  for (NvidiaGpu& gpu : gpus.all) {
    if (gpu.nvml) measure_gpu(context, gpu, addresses, unreported);
    gpus.look_again(gpu);
    report_state(context, gpu);
  }
  context.measure("gpus", "", static_cast<double>(gpus.count(GpuState::answers)));
  context.measure("gpus_on_pci", "", static_cast<double>(gpus.on_pci()));
  context.measure("gpus_lost", "", static_cast<double>(gpus.count(GpuState::lost)));
  if (const auto branch = gpus.nvml.driver_branch()) context.measure("driver_branch", "", *branch);
  if (const auto major = gpus.nvml.cuda_major()) context.measure("cuda_major", "", *major);
  measure_xids(context, gpus, since);

  for (const std::string& sentence : unreported.sentences()) context.note(sentence);
  for (const std::string& symbol : gpus.nvml.missing()) context.note("this driver's NVML has no " + symbol);
}

constexpr rackproof_parameter kParameters[] = {
    {"since", "quantity", "0 s", "s", "how far back the kernel's log counts; 0 s: as far as it goes"},
    {},
};

constexpr rackproof_metric kMore[] = {
    {"gpus", "count", "exact", "GPUs that answer"},
    {"gpus_on_pci", "count", "exact", "NVIDIA GPUs that PCI shows"},
    {"gpus_lost", "count", "lower", "GPUs that fell off the bus"},
    {"driver_branch", "count", "higher", "first number of the driver's version"},
    {"cuda_major", "count", "higher", "first number of the newest CUDA that the driver supports"},
    {"xid", "count", "lower", "errors of the GPU in the kernel's log, of any code"},
    {"xid_hardware", "count", "lower", "the same without the codes that a program can cause by itself"},
    {"sxid", "count", "lower", "errors of an NVSwitch in the kernel's log"},
};

const rackproof_metric* metrics() {
  static const std::vector<rackproof_metric> all = declared(health_figures(), kMore);
  return all.data();
}

constexpr const char* kByHand[] = {
    "nvidia-smi -q -i 0000:17:00.0",
    "nvidia-smi nvlink -s -i 0; nvidia-smi nvlink -e -i 0",
    "dmesg | grep -E 'NVRM: Xid|SXid'",
    nullptr,
};

}  // namespace
}  // namespace rackproof

RACKPROOF_CHECK(.name = "gpu.health", .layer = "gpu",
                .summary = "The condition of each GPU as its driver tells it: errors, throttling, clocks, links",
                .method =
                    "Asks NVML (libnvidia-ml.so.1, opened at run time) for each GPU once, without any load, and counts "
                    "the driver's errors (Xid) in the kernel's log. A GPU that PCI shows and NVML does not name, or "
                    "that fell off the bus, is a fault; the others are measured all the same.",
                .parameters = rackproof::kParameters, .metrics = rackproof::metrics(), .by_hand = rackproof::kByHand,
                .run = rackproof::entry<rackproof::measure_health>)
