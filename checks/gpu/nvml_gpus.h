// The NVIDIA GPUs of a machine: what PCI shows, put together with what NVML names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/pci.h"
#include "checks/gpu/nvml.h"

namespace rackproof {

// How a GPU stands with NVML.
enum class GpuState {
  answers,
  lost,       // fell off the bus
  missing,    // on PCI, and the driver does not name it
  elsewhere,  // bound to another driver, as one that is given to a virtual machine
  closed,     // we may not ask: rights, or a control group
  broken,     // named, and not to be used: power cables, interrupts, needs a reset
};

struct NvidiaGpu {
  std::string address;           // "0000:17:00.0"
  std::optional<PciDevice> pci;  // nothing: below a hypervisor that hides PCI
  std::string driver;            // of the kernel; empty: none, or not told
  GpuState state = GpuState::missing;
  std::string why;            // what NVML said
  std::optional<NvmlGpu> nvml;  // where `state` is answers

  std::string id() const { return pci_id(address); }
};

struct NvidiaGpus {
  Nvml nvml;
  std::vector<NvidiaGpu> all;  // sorted by address

  std::size_t count(GpuState) const;
  std::size_t on_pci() const;

  // Asks again whether a GPU answers: it may have fallen off the bus while it was measured.
  void look_again(NvidiaGpu&) const;
};

// Throws Skip where there is no NVIDIA GPU, and Trouble where PCI shows some and NVML does not work.
NvidiaGpus find_nvidia_gpus(const SysRoot&);

// States the fault of a GPU that does not answer and should, and a note for one of which that cannot be said.
void report_state(Context&, const NvidiaGpu&);

// What NVML's answer to a request for a GPU means; `driver` is the one that the kernel bound to it.
GpuState gpu_state(nvml::Return, std::string_view driver);

}  // namespace rackproof
