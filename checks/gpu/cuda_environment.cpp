#include "checks/gpu/cuda_environment.h"

#include <cstdlib>

namespace rackproof {
namespace {

constexpr const char* kTakenAway[] = {
    "CUDA_LAUNCH_BLOCKING",               // each launch would wait, behind a closed gate for ten seconds
    "CUDA_SCALE_LAUNCH_QUEUES",           // fewer launches would fit behind a gate
    "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE",  // a part of the multiprocessors
    "NVIDIA_TF32_OVERRIDE",               // FP32 as TF32, or TF32 as FP32
    "CUBLAS_EMULATE_SINGLE_PRECISION",    // FP32 by products of BF16
    "CUBLAS_EMULATE_DOUBLE_PRECISION",    // FP64 by products of integers
    "CUBLAS_EMULATION_STRATEGY",
};

// The most that there can be; CUDA takes 8 by itself. Megatron-LM and others want 1, and tell people to export it.
constexpr const char* kConnections = "CUDA_DEVICE_MAX_CONNECTIONS";
constexpr const char* kMostConnections = "32";

void tell(std::string& all, const char* name, const char* value) {
  all += (all.empty() ? "" : ", ") + std::string(name) + "=" + value;
}

}  // namespace

std::string settle_cuda_environment(KernelLoading loading) {
  std::string taken;
  for (const char* const name : kTakenAway) {
    const char* const value = std::getenv(name);
    if (value == nullptr) continue;
    tell(taken, name, value);
    ::unsetenv(name);
  }
  const char* const connections = std::getenv(kConnections);
  if (connections != nullptr && std::string(connections) != kMostConnections) tell(taken, kConnections, connections);
  ::setenv(kConnections, kMostConnections, 1);
  if (loading == KernelLoading::at_start) ::setenv("CUDA_MODULE_LOADING", "EAGER", 1);
  return taken;
}

}  // namespace rackproof
