// Products of one shape on one GPU by cublasLt: C = A' B for A and B that many products share, each C in memory of its own.
#pragma once

#include <cublasLt.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "checks/gpu/burn_plan.h"
#include "checks/gpu/cuda_handles.h"

namespace rackproof {

class CublasError : public std::runtime_error {
 public:
  CublasError(cublasStatus_t code, const std::string& call);
  cublasStatus_t code() const { return code_; }

 private:
  cublasStatus_t code_;
};

// One session with the library on one GPU.
class Cublas {
 public:
  explicit Cublas(int gpu);
  Cublas(const Cublas&) = delete;
  Cublas& operator=(const Cublas&) = delete;
  ~Cublas();
  cublasLtHandle_t get() const { return handle_; }
  int gpu() const { return gpu_; }

 private:
  int gpu_;
  cublasLtHandle_t handle_ = nullptr;
};

class Gemm {
 public:
  // Throws CublasError when the library cannot do it on this GPU.
  Gemm(const Cublas&, const Precision&, std::int64_t size, int batch);
  Gemm(const Gemm&) = delete;
  Gemm& operator=(const Gemm&) = delete;
  ~Gemm();

  // What the library thinks best within this much workspace; nothing when it knows none. The results of two GPUs are the
  // same to the bit only when both run the same one.
  std::optional<cublasLtMatmulAlgo_t> best_algorithm(std::size_t workspace) const;
  void enqueue(const Stream&, const cublasLtMatmulAlgo_t&, const void* a, const void* b, void* products,
               const DeviceMemory& workspace) const;

 private:
  const Cublas& library_;
  bool is_double_;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr;
  cublasLtMatrixLayout_t b_ = nullptr;
  cublasLtMatrixLayout_t c_ = nullptr;
};

// "13.1.0"
std::string cublas_version();

}  // namespace rackproof
