#include "checks/gpu/cuda_devices.h"

#include <cuda_runtime.h>
#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "checks/api/pci.h"
#include "checks/gpu/cuda_error.h"
#include "checks/gpu/gpus_on_pci.h"

namespace rackproof {
namespace {

int attribute(cudaDeviceAttr which, int gpu) {
  int value = 0;
  cuda_call(cudaDeviceGetAttribute(&value, which, gpu), "cudaDeviceGetAttribute", gpu);
  return value;
}

// CUDA writes "0000:17:00.0" with upper-case digits and, on some versions, a domain of eight.
std::string address_of(int gpu) {
  char text[32] = {};
  cuda_call(cudaDeviceGetPCIBusId(text, sizeof text, gpu), "cudaDeviceGetPCIBusId", gpu);
  std::string address = text;
  std::ranges::transform(address, address.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  while (address.find(':') > 4 && address.front() == '0') address.erase(0, 1);
  return address;
}

// ", CUDA_VISIBLE_DEVICES being '0'": what a scheduler or a person left there; empty where it is not set.
std::string choice_of_environment() {
  const char* const value = std::getenv("CUDA_VISIBLE_DEVICES");
  return value == nullptr ? "" : std::string(", CUDA_VISIBLE_DEVICES being '") + value + "'";
}

int count_gpus(std::size_t on_pci) {
  const std::string shown = std::to_string(on_pci) + " NVIDIA GPU" + (on_pci == 1 ? "" : "s") + " on PCI";
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code == cudaSuccess && count > 0) return count;
  if (on_pci == 0) throw Skip{"this machine has no NVIDIA GPU"};
  if (code == cudaSuccess || (code == cudaErrorNoDevice && !choice_of_environment().empty())) {
    throw Trouble{shown + ", and CUDA shows none of them" + choice_of_environment()};
  }
  if (code == cudaErrorInsufficientDriver) {
    int driver = 0;
    int runtime = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&runtime);
    const auto version = [](int number) {
      return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
    };
    throw Trouble{shown + ", but " +
                  (driver == 0 ? std::string("no driver is loaded for CUDA")
                               : "their driver is too old: it supports CUDA " + version(driver)) +
                  ", and this check was built for CUDA " + version(runtime)};
  }
  throw Trouble{shown + ", but CUDA does not start: " + cudaGetErrorString(code) +
                (code == cudaErrorSystemNotReady ? "; behind NVSwitches it waits for nvidia-fabricmanager" : "")};
}

void ask(Gpu& gpu) {
  gpu.compute = 10 * attribute(cudaDevAttrComputeCapabilityMajor, gpu.index) +
                attribute(cudaDevAttrComputeCapabilityMinor, gpu.index);
  gpu.multiprocessors = attribute(cudaDevAttrMultiProcessorCount, gpu.index);
  gpu.l2_bytes = static_cast<std::size_t>(attribute(cudaDevAttrL2CacheSize, gpu.index));
  // Starts its context, so that the first call that is timed does not have to.
  std::size_t free = 0;
  cuda_call(cudaSetDevice(gpu.index), "cudaSetDevice", gpu.index);
  cuda_call(cudaMemGetInfo(&free, &gpu.memory_bytes), "cudaMemGetInfo", gpu.index);
}

bool is_meant(const std::string& address, std::string_view glob) {
  return ::fnmatch(std::string(glob).c_str(), address.c_str(), 0) == 0;
}

// Nobody may take the verdict on some GPUs for one on all of them.
void report_hidden(Context& context, const std::vector<PciDevice>& on_pci, const std::vector<std::string>& shown,
                   std::string_view glob) {
  std::vector<std::string> hidden;
  std::size_t meant = 0;
  for (const PciDevice& device : on_pci) {
    if (!is_meant(device.address, glob)) continue;
    const std::string driver = kernel_driver(context.sysroot(), device.address);
    if (!is_for_nvidia(driver)) {
      context.note(pci_id(device.address) + " is not measured: it is bound to the driver " + driver + ", not to nvidia");
      continue;
    }
    ++meant;
    if (std::ranges::count(shown, device.address) == 0) hidden.push_back(device.address);
  }
  if (hidden.empty()) return;
  if (const std::string chosen = choice_of_environment(); !chosen.empty()) {
    throw Trouble{"CUDA shows " + std::to_string(meant - hidden.size()) + " of the " + std::to_string(meant) +
                  " GPUs that are to be measured" + chosen + ": unset it, or choose by the check's parameter"};
  }
  for (const std::string& address : hidden) {
    context.fault(pci_id(address), "gpu-missing", "PCI shows it, and CUDA does not (a process sees one MIG instance at most)");
  }
}

}  // namespace

std::vector<Gpu> visible_gpus(Context& context, std::string_view glob, KernelLoading loading) {
  const SysRoot& root = context.sysroot();
  if (const std::string taken = settle_cuda_environment(loading); !taken.empty()) {
    context.note("not left to CUDA, since it changes what is measured: " + taken);
  }
  const std::vector<PciDevice> on_pci = nvidia_gpus_on_pci(root);
  const int count = count_gpus(on_pci.size());
  bool is_any_named = false;
  std::vector<std::string> shown;
  std::vector<Gpu> gpus;
  for (int index = 0; index < count; ++index) {
    Gpu gpu;
    try {
      gpu.index = index;
      gpu.address = address_of(index);
      shown.push_back(gpu.address);
      if (!is_meant(gpu.address, glob)) continue;
      is_any_named = true;
      gpu.id = pci_id(gpu.address);
      ask(gpu);
      gpu.numa_node = static_cast<int>(root.integer(pci_attribute(gpu.address, "numa_node")).value_or(-1));
      gpus.push_back(std::move(gpu));
    } catch (const CudaError& error) {
      context.fault(gpu.id, "gpu-lost", std::string("does not take part: ") + error.what());
    }
  }
  report_hidden(context, on_pci, shown, glob);
  if (!gpus.empty()) {
    std::ranges::sort(gpus, {}, &Gpu::address);
    return gpus;
  }
  if (is_any_named) throw Trouble{"none of the GPUs answers"};
  throw Trouble{"none of the " + std::to_string(count) + " GPUs has an address like '" + std::string(glob) + "'"};
}

void describe_gpus(Context& context, const std::vector<Gpu>& gpus) {
  const std::vector<PciDevice> on_pci = nvidia_gpus_on_pci(context.sysroot());
  for (const Gpu& gpu : gpus) {
    const auto place = std::ranges::find(on_pci, gpu.address, &PciDevice::address);
    context.device({.id = gpu.id,
                    .kind = "gpu",
                    .name = {},
                    .parent = place == on_pci.end() ? "machine" : pci_parent_id(*place),
                    .facts = {{"compute_capability", std::to_string(gpu.compute / 10) + "." + std::to_string(gpu.compute % 10)},
                              {"multiprocessors", std::int64_t{gpu.multiprocessors}},
                              {"cuda_memory_bytes", static_cast<std::int64_t>(gpu.memory_bytes)}}});
  }
}

}  // namespace rackproof
