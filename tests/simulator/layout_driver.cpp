// What the driver of the GPUs shows below /proc, and what the kernel's log says of them.
#include <string>
#include <vector>

#include "tests/simulator/layout.h"
#include "tests/simulator/node_files.h"

namespace rackproof::simulator {
namespace {

bool has(const std::vector<Fault>& faults, FaultKind kind, int target) {
  for (const Fault& fault : faults) {
    if (fault.kind == kind && fault.target == target) return true;
  }
  return false;
}

void lay_out_gpu(LayoutTree& tree, const Profile& profile, int number) {
  const SimulatedGpu& gpu = profile.gpus[static_cast<std::size_t>(number)];
  tree.file("/proc/driver/nvidia/gpus/" + gpu.address + "/information",
            "Model: \t\t " + profile.kind.name + "\nIRQ:   \t\t " + std::to_string(120 + number) + "\nGPU UUID: \t " +
                gpu.uuid + "\nVideo BIOS: \t " + profile.kind.vbios +
                "\nBus Type: \t PCIe\nDMA Size: \t 52 bits\nDMA Mask: \t 0xfffffffffffff\nBus Location: \t " +
                gpu.address + "\nDevice Minor: \t " + std::to_string(number) + "\nGPU Firmware: \t " + profile.driver);
  tree.file("/sys/bus/pci/slots/" + std::to_string(number + 1) + "/address",
            gpu.address.substr(0, gpu.address.rfind('.')));
}

// Lines from when the node started, so that whoever reads from the end of the log finds nothing new.
std::string kernel_log(const Profile& profile, const std::vector<Fault>& faults) {
  double at = 8;
  std::string log = kernel_line(0, "Linux version 6.8.0-simulated");
  for (int number = 0; number < static_cast<int>(profile.gpus.size()); ++number) {
    if (has(faults, FaultKind::gpu_missing, number)) continue;
    const std::string& address = profile.gpus[static_cast<std::size_t>(number)].address;
    log += "\n" + kernel_line(at += 0.1, "nvidia " + address + ": enabling device (0140 -> 0142)");
  }
  at = 600;
  for (const Fault& fault : faults) {
    if (fault.kind != FaultKind::xid) continue;
    const SimulatedGpu& gpu = profile.gpus[static_cast<std::size_t>(fault.target)];
    log += "\n" + kernel_line(at += 0.125, xid_message(gpu, static_cast<int>(fault.amount)));
  }
  return log;
}

}  // namespace

void lay_out_driver(LayoutTree& tree, const Profile& profile, const std::vector<Fault>& faults) {
  for (int number = 0; number < static_cast<int>(profile.gpus.size()); ++number) {
    if (!has(faults, FaultKind::gpu_missing, number)) lay_out_gpu(tree, profile, number);
  }
  const std::string version = has(faults, FaultKind::driver_old, -1) ? kOldDriver : profile.driver;
  tree.file("/proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  " + version +
                                               "  Mon Jan  1 00:00:00 UTC 2024");
  tree.file("/sys/module/nvidia/version", version);
  tree.file("/var/log/kern.log", kernel_log(profile, faults));
}

}  // namespace rackproof::simulator
