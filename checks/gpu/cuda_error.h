// CUDA's return codes as exceptions that know on which GPU it went wrong.
#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace rackproof {

class CudaError : public std::runtime_error {
 public:
  CudaError(cudaError_t code, const std::string& call, int gpu);

  cudaError_t code() const { return code_; }
  int gpu() const { return gpu_; }  // CUDA's index; -1: none in particular

  // The GPU's context is gone, and with it all that was on it: no further call on this GPU can work.
  bool is_final() const;

 private:
  cudaError_t code_;
  int gpu_;
};

// Throws CudaError unless the call succeeded: cuda_call(cudaMalloc(&p, n), "cudaMalloc", gpu).
void cuda_call(cudaError_t code, const char* call, int gpu = -1);

}  // namespace rackproof
