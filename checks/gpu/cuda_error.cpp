#include "checks/gpu/cuda_error.h"

#include <algorithm>
#include <iterator>

namespace rackproof {

CudaError::CudaError(cudaError_t code, const std::string& call, int gpu)
    : std::runtime_error(call + (gpu < 0 ? "" : " on GPU " + std::to_string(gpu)) + ": " + cudaGetErrorString(code) + " (" +
                         cudaGetErrorName(code) + ")"),
      code_(code),
      gpu_(gpu) {}

bool CudaError::is_final() const {
  constexpr cudaError_t kFinal[] = {cudaErrorLaunchFailure,     cudaErrorIllegalAddress,    cudaErrorECCUncorrectable,
                                    cudaErrorHardwareStackError, cudaErrorIllegalInstruction, cudaErrorMisalignedAddress,
                                    cudaErrorNvlinkUncorrectable, cudaErrorDevicesUnavailable, cudaErrorLaunchTimeout,
                                    cudaErrorUnknown};
  return std::ranges::find(kFinal, code_) != std::end(kFinal);
}

void cuda_call(cudaError_t code, const char* call, int gpu) {
  if (code != cudaSuccess) throw CudaError(code, call, gpu);
}

}  // namespace rackproof
