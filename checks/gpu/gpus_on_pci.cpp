#include "checks/gpu/gpus_on_pci.h"

namespace rackproof {
namespace {

constexpr std::int64_t kNvidia = 0x10de;

}  // namespace

std::vector<PciDevice> nvidia_gpus_on_pci(const SysRoot& root) {
  std::vector<PciDevice> devices = pci_devices(root);
  std::erase_if(devices, [](const PciDevice& device) {
    return device.vendor != kNvidia || device.kind != "gpu" || !device.physical_function.empty();
  });
  return devices;
}

std::string kernel_driver(const SysRoot& root, std::string_view address) {
  return root.link_name(pci_attribute(address, "driver")).value_or("");
}

bool is_for_nvidia(std::string_view kernel_driver) { return kernel_driver.empty() || kernel_driver == "nvidia"; }

}  // namespace rackproof
