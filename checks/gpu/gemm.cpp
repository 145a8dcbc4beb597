#include "checks/gpu/gemm.h"

namespace rackproof {
namespace {

void cublas_call(cublasStatus_t code, const char* call) {
  if (code != CUBLAS_STATUS_SUCCESS) throw CublasError(code, call);
}

cudaDataType_t type_of(Format format) {
  switch (format) {
    case Format::fp64: return CUDA_R_64F;
    case Format::bf16: return CUDA_R_16BF;
    case Format::fp8: return CUDA_R_8F_E4M3;
    default: return CUDA_R_32F;
  }
}

cublasComputeType_t compute_of(Format format) {
  switch (format) {
    case Format::fp64: return CUBLAS_COMPUTE_64F;
    case Format::tf32: return CUBLAS_COMPUTE_32F_FAST_TF32;
    default: return CUBLAS_COMPUTE_32F;
  }
}

cublasLtMatrixLayout_t layout_of(Format format, std::int64_t size, int batch, std::int64_t stride) {
  cublasLtMatrixLayout_t layout = nullptr;
  const auto side = static_cast<std::uint64_t>(size);
  cublas_call(cublasLtMatrixLayoutCreate(&layout, type_of(format), side, side, size), "cublasLtMatrixLayoutCreate");
  const std::int32_t count = batch;
  cublas_call(cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count),
              "cublasLtMatrixLayoutSetAttribute");
  cublas_call(cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride),
              "cublasLtMatrixLayoutSetAttribute");
  return layout;
}

}  // namespace

CublasError::CublasError(cublasStatus_t code, const std::string& call)
    : std::runtime_error(call + ": " + cublasLtGetStatusString(code)), code_(code) {}

Cublas::Cublas(int gpu) : gpu_(gpu) {
  use_gpu(gpu);
  cublas_call(cublasLtCreate(&handle_), "cublasLtCreate");
}

Cublas::~Cublas() {
  if (!is_abandoned(gpu_) && cudaSetDevice(gpu_) == cudaSuccess) cublasLtDestroy(handle_);
}

Gemm::Gemm(const Cublas& library, const Precision& precision, std::int64_t size, int batch)
    : library_(library), is_double_(precision.in == Format::fp64) {
  cublas_call(cublasLtMatmulDescCreate(&operation_, compute_of(precision.in), is_double_ ? CUDA_R_64F : CUDA_R_32F),
              "cublasLtMatmulDescCreate");
  // A transposed and B as it is: the one form that FP8 has on every architecture.
  const cublasOperation_t transposed = CUBLAS_OP_T;
  cublas_call(cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed),
              "cublasLtMatmulDescSetAttribute");
  a_ = layout_of(precision.in, size, batch, 0);
  b_ = layout_of(precision.in, size, batch, 0);
  c_ = layout_of(precision.out, size, batch, size * size);
}

Gemm::~Gemm() {
  for (const cublasLtMatrixLayout_t layout : {a_, b_, c_}) {
    if (layout != nullptr) cublasLtMatrixLayoutDestroy(layout);
  }
  if (operation_ != nullptr) cublasLtMatmulDescDestroy(operation_);
}

std::optional<cublasLtMatmulAlgo_t> Gemm::best_algorithm(std::size_t workspace) const {
  use_gpu(library_.gpu());
  cublasLtMatmulPreference_t preference = nullptr;
  cublas_call(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate");
  cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof workspace);
  // Sums that are added up in whatever order their parts arrive would differ from one product to the next.
  const std::uint32_t in_one_order = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE;
  cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &in_one_order,
                                       sizeof in_one_order);
  cublasLtMatmulHeuristicResult_t result{};
  int count = 0;
  const cublasStatus_t code = cublasLtMatmulAlgoGetHeuristic(library_.get(), operation_, a_, b_, c_, c_, preference, 1,
                                                             &result, &count);
  cublasLtMatmulPreferenceDestroy(preference);
  if (code == CUBLAS_STATUS_NOT_SUPPORTED || (code == CUBLAS_STATUS_SUCCESS && count == 0)) return std::nullopt;
  cublas_call(code, "cublasLtMatmulAlgoGetHeuristic");
  return result.algo;
}

void Gemm::enqueue(const Stream& stream, const cublasLtMatmulAlgo_t& algorithm, const void* a, const void* b,
                   void* products, const DeviceMemory& workspace) const {
  use_gpu(library_.gpu());
  const double one_double = 1;
  const double none_double = 0;
  const float one = 1;
  const float none = 0;
  const void* const alpha = is_double_ ? static_cast<const void*>(&one_double) : &one;
  const void* const beta = is_double_ ? static_cast<const void*>(&none_double) : &none;
  cublas_call(cublasLtMatmul(library_.get(), operation_, alpha, a, a_, b, b_, beta, products, c_, products, c_,
                             &algorithm, workspace.get(), workspace.bytes(), stream.get()),
              "cublasLtMatmul");
}

std::string cublas_version() {
  const std::size_t version = cublasLtGetVersion();  // 130100 is 13.1.0
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." + std::to_string(version % 100);
}

}  // namespace rackproof
