#include "checks/gpu/nvml_gpus.h"

#include <algorithm>
#include <utility>

namespace rackproof {
namespace {

constexpr std::int64_t kNvidia = 0x10de;

// Whole GPUs of NVIDIA: no virtual functions, which are pieces of one.
std::vector<PciDevice> gpus_on_pci(const SysRoot& root) {
  std::vector<PciDevice> devices = pci_devices(root);
  std::erase_if(devices, [](const PciDevice& device) {
    return device.vendor != kNvidia || device.kind != "gpu" || !device.physical_function.empty();
  });
  return devices;
}

NvidiaGpu ask_for(const Nvml& nvml, const SysRoot& root, PciDevice device) {
  NvidiaGpu gpu{.address = device.address, .pci = {}, .driver = {}, .why = {}, .nvml = {}};
  gpu.driver = root.link_name(pci_attribute(device.address, "driver")).value_or("");
  gpu.pci = std::move(device);
  const Nvml::Found found = nvml.by_pci(gpu.address);
  gpu.state = gpu_state(found.code, gpu.driver);
  gpu.nvml = found.gpu;
  if (gpu.state != GpuState::answers) gpu.why = nvml.error_text(found.code);
  return gpu;
}

// Those that PCI does not show: Windows' subsystem for Linux has none of /sys/bus/pci for its GPUs.
void add_unseen(const Nvml& nvml, std::vector<NvidiaGpu>& all) {
  for (unsigned index = 0; index < nvml.count(); ++index) {
    const Nvml::Found found = nvml.by_index(index);
    if (!found.gpu) continue;
    const auto address = found.gpu->pci_address();
    if (!address || std::ranges::count(all, *address, &NvidiaGpu::address) > 0) continue;
    all.push_back({.address = *address, .pci = {}, .driver = {}, .state = GpuState::answers, .why = {},
                   .nvml = found.gpu});
  }
}

}  // namespace

GpuState gpu_state(nvml::Return code, std::string_view driver) {
  switch (code) {
    case nvml::kSuccess: return GpuState::answers;
    case nvml::kGpuIsLost: return GpuState::lost;
    case nvml::kNoPermission:
    case nvml::kOperatingSystem: return GpuState::closed;
    case nvml::kNotFound:
    case nvml::kInvalidArgument:
      return driver.empty() || driver == "nvidia" ? GpuState::missing : GpuState::elsewhere;
    default: return GpuState::broken;
  }
}

std::size_t NvidiaGpus::count(GpuState state) const {
  return static_cast<std::size_t>(std::ranges::count(all, state, &NvidiaGpu::state));
}

std::size_t NvidiaGpus::on_pci() const {
  return static_cast<std::size_t>(std::ranges::count_if(all, [](const NvidiaGpu& gpu) { return gpu.pci.has_value(); }));
}

void NvidiaGpus::look_again(NvidiaGpu& gpu) const {
  if (!gpu.nvml || !gpu.nvml->is_lost()) return;
  gpu.state = GpuState::lost;
  gpu.why = nvml.error_text(nvml::kGpuIsLost);
  gpu.nvml.reset();
}

NvidiaGpus find_nvidia_gpus(const SysRoot& root) {
  std::vector<PciDevice> on_pci = gpus_on_pci(root);
  std::string why_not;
  std::optional<Nvml> nvml = Nvml::open(root, why_not);
  if (!nvml && on_pci.empty()) throw Skip{"no NVIDIA GPU: PCI shows none, and " + why_not};
  if (!nvml) {
    throw Trouble{"PCI shows " + std::to_string(on_pci.size()) + " NVIDIA GPU" + (on_pci.size() == 1 ? "" : "s") +
                  ", and none can be asked: " + why_not};
  }
  NvidiaGpus gpus{std::move(*nvml), {}};
  for (PciDevice& device : on_pci) gpus.all.push_back(ask_for(gpus.nvml, root, std::move(device)));
  add_unseen(gpus.nvml, gpus.all);
  if (gpus.all.empty()) throw Skip{"no NVIDIA GPU: PCI shows none, and NVML names none"};
  std::ranges::sort(gpus.all, {}, &NvidiaGpu::address);
  return gpus;
}

void report_state(Context& context, const NvidiaGpu& gpu) {
  const std::string id = gpu.id();
  switch (gpu.state) {
    case GpuState::answers: return;
    case GpuState::lost: return context.fault(id, "gpu-lost", id + " does not answer any more: " + gpu.why);
    case GpuState::missing:
      return context.fault(id, "gpu-missing",
                           "PCI shows " + id + ", and NVML does not name it: " + gpu.why + " (kernel driver: " +
                               (gpu.driver.empty() ? "none" : gpu.driver) + ")");
    case GpuState::broken: return context.fault(id, "gpu-broken", id + " cannot be used: " + gpu.why);
    case GpuState::elsewhere:
      return context.note(id + " is not measured: it is bound to the driver " + gpu.driver + ", not to nvidia");
    case GpuState::closed: return context.note(id + " is not measured: " + gpu.why);
  }
}

}  // namespace rackproof
