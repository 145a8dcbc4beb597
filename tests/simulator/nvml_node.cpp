#include "tests/simulator/nvml_node.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <stdexcept>

#include "tests/simulator/layout.h"

namespace rackproof::simulator {
namespace {

constexpr int kOldCuda = 11000;         // what a driver of kOldDriver supports
constexpr std::int64_t kIdleErrors = 3;  // a link that errs under load has erred before

std::mutex opening;
std::unique_ptr<NvmlNode> node;
int opened = 0;

}  // namespace

NvmlNode::NvmlNode(const std::string& folder)
    : profile_(read_profile(folder + "/profile.yaml")),
      faults_(read_faults(folder + "/faults.txt", profile_)),
      state_(map_shared_state(folder)) {
  for (int number = 0; number < static_cast<int>(profile_.gpus.size()); ++number) {
    if (!has(FaultKind::gpu_missing, number)) named_.push_back(number);
  }
}

std::string NvmlNode::driver() const { return has(FaultKind::driver_old, -1) ? kOldDriver : profile_.driver; }
int NvmlNode::cuda_version() const { return has(FaultKind::driver_old, -1) ? kOldCuda : profile_.cuda_version; }

const Fault* NvmlNode::fault(FaultKind kind, int target) const {
  const auto found = std::ranges::find_if(
      faults_, [&](const Fault& fault) { return fault.kind == kind && fault.target == target; });
  return found == faults_.end() ? nullptr : &*found;
}

bool NvmlNode::is_lost(int number) const {
  if (state(number).lost != 0) return true;
  const Fault* lost = fault(FaultKind::gpu_lost, number);
  return lost != nullptr && lost->after_s <= 0;
}

bool NvmlNode::nvlink_is_down(int number, int link) const {
  return std::ranges::any_of(faults_, [&](const Fault& fault) {
    return fault.kind == FaultKind::nvlink_down && fault.target == number && fault.index == link;
  });
}

std::int64_t NvmlNode::nvlink_errors(int number, int link) const {
  const bool errs = std::ranges::any_of(faults_, [&](const Fault& fault) {
    return fault.kind == FaultKind::nvlink_errors && fault.target == number && fault.index == link;
  });
  return state(number).nvlink_errors[link] + (errs ? kIdleErrors : 0);
}

NvmlNode* nvml_node() { return node.get(); }

nvml::Return open_nvml_node() {
  const std::scoped_lock lock(opening);
  const char* folder = std::getenv("RACKPROOF_SIMULATION");
  if (folder == nullptr || *folder == '\0') return nvml::kDriverNotLoaded;
  try {
    if (node == nullptr) node = std::make_unique<NvmlNode>(folder);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "simulated NVML: %s\n", error.what());
    return nvml::kDriverNotLoaded;
  }
  if (node->is_silent()) return nvml::kDriverNotLoaded;
  ++opened;
  return nvml::kSuccess;
}

nvml::Return close_nvml_node() {
  const std::scoped_lock lock(opening);
  if (opened == 0) return nvml::kUninitialized;
  if (--opened == 0) node.reset();
  return nvml::kSuccess;
}

nvml::Device to_handle(int number) {
  return reinterpret_cast<nvml::Device>(static_cast<std::uintptr_t>(number) + 1);
}

nvml::Return to_number(nvml::Device device, int& number) {
  const NvmlNode* const all = nvml_node();
  if (all == nullptr) return nvml::kUninitialized;
  const auto handle = reinterpret_cast<std::uintptr_t>(device);
  if (handle == 0 || handle > all->profile().gpus.size()) return nvml::kInvalidArgument;
  number = static_cast<int>(handle - 1);
  return all->is_lost(number) ? nvml::kGpuIsLost : nvml::kSuccess;
}

nvml::Return put_text(const std::string& text, char* buffer, unsigned size) {
  if (buffer == nullptr) return nvml::kInvalidArgument;
  if (text.size() + 1 > size) return nvml::kInsufficientSize;
  std::memcpy(buffer, text.c_str(), text.size() + 1);
  return nvml::kSuccess;
}

nvml::PciInfo to_pci_info(const std::string& address, std::int64_t device_id) {
  constexpr unsigned kNvidia = 0x10de;
  nvml::PciInfo info{};
  unsigned function = 0;
  std::sscanf(address.c_str(), "%x:%x:%x.%x", &info.domain, &info.bus, &info.device, &function);
  info.device_and_vendor = static_cast<unsigned>(device_id) << 16 | kNvidia;
  std::snprintf(info.bus_id, sizeof info.bus_id, "%08X:%02X:%02X.0", info.domain, info.bus, info.device);
  std::snprintf(info.legacy_bus_id, sizeof info.legacy_bus_id, "%04X:%02X:%02X.0", info.domain & 0xffff,
                info.bus & 0xff, info.device & 0xff);
  return info;
}

}  // namespace rackproof::simulator
