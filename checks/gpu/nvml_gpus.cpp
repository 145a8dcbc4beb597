#include "checks/gpu/nvml_gpus.h"

#include <algorithm>
#include <map>
#include <utility>

#include "checks/gpu/gpus_on_pci.h"

namespace rackproof {
namespace {

// What NVML gives by index: the GPUs that answer, and why it does not give the others that it counts.
struct Named {
  std::map<std::string, NvmlGpu> by_address;
  std::vector<nvml::Return> refusals;
};

Named ask_by_index(const Nvml& nvml) {
  Named named;
  for (unsigned index = 0; index < nvml.count(); ++index) {
    const Nvml::Found found = nvml.by_index(index);
    const auto address = found.gpu ? found.gpu->pci_address() : std::nullopt;
    if (address) {
      named.by_address.emplace(*address, *found.gpu);
    } else {
      named.refusals.push_back(found.gpu ? nvml::kGpuIsLost : found.code);  // it forgot its address since
    }
  }
  return named;
}

NvidiaGpu look_up(const Nvml& nvml, const Named& named, const SysRoot& root, PciDevice device) {
  NvidiaGpu gpu{.address = device.address, .pci = {}, .driver = {}, .why = {}, .nvml = {}};
  gpu.driver = kernel_driver(root, device.address);
  gpu.pci = std::move(device);
  if (const auto known = named.by_address.find(gpu.address); known != named.by_address.end()) {
    gpu.state = GpuState::answers;
    gpu.nvml = known->second;
    return gpu;
  }
  nvml::Return code = nvml.by_pci(gpu.address).code;
  if (code == nvml::kSuccess) code = nvml::kGpuIsLost;  // and yet it is not among those that answer
  // The GPU that NVML counts and does not give is this one, if NVML does not know it by its address either.
  const bool is_unknown = code == nvml::kNotFound || code == nvml::kInvalidArgument;
  if (is_unknown && !named.refusals.empty()) code = named.refusals.front();
  gpu.state = gpu_state(code, gpu.driver);
  gpu.why = nvml.error_text(code);
  return gpu;
}

// Those that PCI does not show: Windows' subsystem for Linux has none of /sys/bus/pci for its GPUs.
void add_unseen(const Named& named, std::vector<NvidiaGpu>& all) {
  for (const auto& [address, gpu] : named.by_address) {
    if (std::ranges::count(all, address, &NvidiaGpu::address) > 0) continue;
    all.push_back({.address = address, .pci = {}, .driver = {}, .state = GpuState::answers, .why = {}, .nvml = gpu});
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
      return is_for_nvidia(driver) ? GpuState::missing : GpuState::elsewhere;
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
  std::vector<PciDevice> on_pci = nvidia_gpus_on_pci(root);
  std::string why_not;
  std::optional<Nvml> nvml = Nvml::open(root, why_not);
  if (!nvml && on_pci.empty()) throw Skip{"no NVIDIA GPU: PCI shows none, and " + why_not};
  if (!nvml) {
    throw Trouble{"PCI shows " + std::to_string(on_pci.size()) + " NVIDIA GPU" + (on_pci.size() == 1 ? "" : "s") +
                  ", and none can be asked: " + why_not};
  }
  NvidiaGpus gpus{std::move(*nvml), {}};
  const Named named = ask_by_index(gpus.nvml);
  for (PciDevice& device : on_pci) gpus.all.push_back(look_up(gpus.nvml, named, root, std::move(device)));
  add_unseen(named, gpus.all);
  if (gpus.all.empty()) throw Skip{"no NVIDIA GPU: PCI shows none, and NVML names none"};
  std::ranges::sort(gpus.all, {}, &NvidiaGpu::address);
  return gpus;
}

void report_state(Context& context, const NvidiaGpu& gpu) {
  const std::string id = gpu.id();
  switch (gpu.state) {
    case GpuState::answers: return;
    case GpuState::lost: return context.fault(id, "gpu-lost", "fell off the bus, and answers no more: " + gpu.why);
    case GpuState::missing:
      return context.fault(id, "gpu-missing",
                           "PCI shows it, and NVML does not name it: " + gpu.why + " (kernel driver: " +
                               (gpu.driver.empty() ? "none" : gpu.driver) + ")");
    case GpuState::broken: return context.fault(id, "gpu-broken", "cannot be used: " + gpu.why);
    case GpuState::elsewhere:
      return context.note(id + " is not measured: it is bound to the driver " + gpu.driver + ", not to nvidia");
    case GpuState::closed: return context.note(id + " is not measured: " + gpu.why);
  }
}

}  // namespace rackproof
