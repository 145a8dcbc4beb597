// The stand-in libcudart: which GPUs there are, what they are, and which of them reach each other.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <string>

#include "tests/simulator/cudart_call.h"

using namespace rackproof::simulator;

namespace {

constexpr int kRuntimeVersion = RACKPROOF_CUDA_VERSION;

}  // namespace

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (const cudaError_t code = state_of_driver(); code != cudaSuccess) return remember(code);
  *count = static_cast<int>(Machine::here()->present().size());
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (const cudaError_t code = state_of_driver(); code != cudaSuccess) return remember(code);
  if (gpu_of(device) < 0) return remember(cudaErrorInvalidDevice);
  set_current_index(device);
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = current_index();
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, enum cudaDeviceAttr attr, int device) {
  return about_gpu(device, [&](On on) {
    const GpuKind& kind = on.machine.profile().kind;
    switch (attr) {
      case cudaDevAttrMultiProcessorCount: *value = kind.multiprocessors; return cudaSuccess;
      case cudaDevAttrL2CacheSize: *value = static_cast<int>(kind.l2_bytes); return cudaSuccess;
      case cudaDevAttrMaxThreadsPerMultiProcessor: *value = kind.threads_per_multiprocessor; return cudaSuccess;
      case cudaDevAttrClockRate: *value = static_cast<int>(kind.sm_clock_mhz * 1000); return cudaSuccess;
      case cudaDevAttrComputeCapabilityMajor: *value = kind.compute_major; return cudaSuccess;
      case cudaDevAttrComputeCapabilityMinor: *value = kind.compute_minor; return cudaSuccess;
      // As GPUs in x86 servers say: what adapters write has to be asked for.
      case cudaDevAttrGPUDirectRDMAFlushWritesOptions: *value = cudaFlushGPUDirectRDMAWritesOptionHost; return cudaSuccess;
      case cudaDevAttrGPUDirectRDMAWritesOrdering: *value = cudaGPUDirectRDMAWritesOrderingNone; return cudaSuccess;
    }
    return cudaErrorInvalidValue;
  });
}

cudaError_t cudaDeviceFlushGPUDirectRDMAWrites(enum cudaFlushGPUDirectRDMAWritesTarget,
                                               enum cudaFlushGPUDirectRDMAWritesScope) {
  return here([](On on) {
    if (on.machine.is_lost(on.gpu)) return cudaErrorLaunchFailure;
    on.machine.memory().touched(on.gpu);
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  return about_gpu(device, [&](On on) {
    std::string address = on.machine.profile().gpus[static_cast<std::size_t>(on.gpu)].address;
    std::ranges::transform(address, address.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    std::snprintf(text, static_cast<std::size_t>(length), "%s", address.c_str());
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceSynchronize(void) {
  return here([](On on) {
    on.machine.timeline().run();
    if (on.machine.is_lost(on.gpu)) return cudaErrorLaunchFailure;
    return on.machine.timeline().is_gpu_idle(on.gpu) ? cudaSuccess : cudaErrorLaunchTimeout;
  });
}

cudaError_t cudaDeviceReset(void) { return cudaSuccess; }

cudaError_t cudaDriverGetVersion(int* version) {
  Machine* machine = Machine::here();
  if (machine == nullptr) {
    *version = 0;
  } else {
    *version = machine->fault(FaultKind::driver_old, -1) != nullptr ? 11040 : machine->profile().cuda_version;
  }
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kRuntimeVersion;
  return cudaSuccess;
}

cudaError_t cudaGetLastError(void) { return take_last_error(); }
cudaError_t cudaPeekAtLastError(void) { return last_error(); }

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  return on_gpu(device, [&](On on) {
    const int other = gpu_of(peer);
    if (other < 0) return cudaErrorInvalidDevice;
    *can = device != peer && (on.machine.profile().kind.nvlinks == 0 ||
                              (on.machine.nvlink_share(on.gpu) > 0 && on.machine.nvlink_share(other) > 0));
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned int) {
  return here([&](On on) {
    if (gpu_of(peer) < 0) return cudaErrorInvalidDevice;
    return handles().peers.insert({on.gpu, gpu_of(peer)}).second ? cudaSuccess : cudaErrorPeerAccessAlreadyEnabled;
  });
}

cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return here([&](On on) {
    return handles().peers.erase({on.gpu, gpu_of(peer)}) > 0 ? cudaSuccess : cudaErrorPeerAccessNotEnabled;
  });
}

}  // extern "C"
