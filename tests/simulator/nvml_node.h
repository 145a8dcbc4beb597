// The simulated node as the stand-in for NVML sees it: which GPUs it names, and what each has come to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "checks/gpu/nvml_abi.h"
#include "tests/simulator/fault.h"
#include "tests/simulator/profile.h"
#include "tests/simulator/shared_state.h"

namespace rackproof::simulator {

class NvmlNode {
 public:
  // From the folder that RACKPROOF_SIMULATION names. Throws std::runtime_error.
  explicit NvmlNode(const std::string& folder);

  const Profile& profile() const { return profile_; }
  const GpuKind& kind() const { return profile_.kind; }
  bool is_silent() const { return has(FaultKind::nvml_silent, -1); }
  std::string driver() const;
  int cuda_version() const;

  const std::vector<int>& named() const { return named_; }  // GPUs of the profile, without those that are missing
  const SimulatedGpu& gpu(int number) const { return profile_.gpus[static_cast<std::size_t>(number)]; }
  GpuState& state(int number) const { return state_.gpus[number]; }
  bool is_lost(int number) const;

  const Fault* fault(FaultKind, int target) const;  // nullptr: none
  bool has(FaultKind kind, int target) const { return fault(kind, target) != nullptr; }

  bool nvlink_is_down(int number, int link) const;
  std::int64_t nvlink_errors(int number, int link) const;

 private:
  Profile profile_;
  std::vector<Fault> faults_;
  SharedState& state_;
  std::vector<int> named_;
};

// Made by nvmlInit, gone with nvmlShutdown. nullptr before.
NvmlNode* nvml_node();
nvml::Return open_nvml_node();
nvml::Return close_nvml_node();

// A handle is the GPU's number in the profile, plus 1.
nvml::Device to_handle(int number);
// What every call on a GPU begins with: uninitialised, no such GPU, lost, or success and the GPU's number.
nvml::Return to_number(nvml::Device, int& number);

// Copies `text` into a caller's buffer as NVML does.
nvml::Return put_text(const std::string& text, char* buffer, unsigned size);

nvml::PciInfo to_pci_info(const std::string& address, std::int64_t device_id);

// Writes what `make` says of the GPU, a number.
template <class Out, class Make>
nvml::Return answer(nvml::Device device, Out* out, Make make) {
  int number = -1;
  if (const nvml::Return code = to_number(device, number); code != nvml::kSuccess) return code;
  if (out == nullptr) return nvml::kInvalidArgument;
  *out = static_cast<Out>(make(*nvml_node(), number));
  return nvml::kSuccess;
}

}  // namespace rackproof::simulator

// What the library exports is marked with this, and nothing else is.
#define RACKPROOF_NVML extern "C" __attribute__((visibility("default"))) rackproof::nvml::Return
