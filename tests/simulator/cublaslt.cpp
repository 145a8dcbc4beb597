// The stand-in libcublasLt: products of matrices on simulated GPUs, really computed, at the rates of the profile.
#include <cublasLt.h>

#include <cstring>
#include <map>
#include <optional>
#include <vector>

#include "tests/simulator/cublaslt_flips.h"
#include "tests/simulator/cublaslt_multiply.h"
#include "tests/simulator/cudart.h"

struct cublasLtContext {};
struct rackproof_simulated_operation {
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cudaDataType_t scale = CUDA_R_32F;
  cublasOperation_t a = CUBLAS_OP_N;
  cublasOperation_t b = CUBLAS_OP_N;
};
struct rackproof_simulated_layout {
  cudaDataType_t type = CUDA_R_32F;
  std::uint64_t rows = 0;
  std::uint64_t columns = 0;
  std::int64_t leading = 0;
  std::int32_t batch = 1;
  std::int64_t stride = 0;
};
struct rackproof_simulated_preference {};

namespace rackproof::simulator {
namespace {

constexpr std::uint64_t kAlgorithm = 0x5acb;
constexpr double kLaunchNs = 500;

struct Shape {
  Multiplication of;  // without addresses
  std::size_t batch = 1;
  std::size_t stride = 0;  // bytes from one product to the next
  double tflops = 0;
};

// A kernel of its own for each, as far as one can tell from outside.
std::string name_of(const Shape& shape) {
  return "kind " + std::to_string(static_cast<int>(shape.of.in)) + ", size " + std::to_string(shape.of.m) + ", batch " +
         std::to_string(shape.batch);
}

std::optional<Element> element_of(cudaDataType_t type, cublasComputeType_t compute) {
  switch (type) {
    case CUDA_R_64F: return Element::fp64;
    case CUDA_R_16BF: return Element::bf16;
    case CUDA_R_8F_E4M3: return Element::fp8;
    case CUDA_R_32F: return compute == CUBLAS_COMPUTE_32F_FAST_TF32 ? Element::tf32 : Element::fp32;
  }
  return std::nullopt;
}

const char* rate_name(Element element) {
  switch (element) {
    case Element::fp64: return "fp64";
    case Element::fp32: return "fp32";
    case Element::tf32: return "tf32";
    case Element::bf16: return "bf16";
    case Element::fp8: return "fp8";
  }
  return "";
}

// What is asked, if it is what this library can do: A transposed, whole matrices, one A and one B for all products.
std::optional<Shape> shape_of(const Machine& machine, const rackproof_simulated_operation& op,
                              const rackproof_simulated_layout& a, const rackproof_simulated_layout& b,
                              const rackproof_simulated_layout& c) {
  const auto in = element_of(a.type, op.compute);
  const auto out = element_of(c.type, CUBLAS_COMPUTE_32F);
  if (!in || !out || a.type != b.type || op.a != CUBLAS_OP_T || op.b != CUBLAS_OP_N) return std::nullopt;
  if ((*in == Element::fp64) != (op.compute == CUBLAS_COMPUTE_64F) || (*in == Element::fp64) != (*out == Element::fp64)) {
    return std::nullopt;
  }
  if (*out == Element::fp8 || (*in == Element::fp8 && *out != Element::bf16)) return std::nullopt;
  const auto whole = [](const rackproof_simulated_layout& one) {
    return one.leading == static_cast<std::int64_t>(one.rows) && one.rows % 16 == 0 && one.columns % 16 == 0;
  };
  if (!whole(a) || !whole(b) || !whole(c) || a.rows != b.rows || a.columns != c.rows || b.columns != c.columns) {
    return std::nullopt;
  }
  if (a.batch != c.batch || b.batch != c.batch || a.stride != 0 || b.stride != 0) return std::nullopt;
  const auto& rates = machine.profile().kind.tflops;
  const auto rate = rates.find(rate_name(*in));
  if (rate == rates.end()) return std::nullopt;
  Shape shape;
  shape.of = {nullptr, nullptr, nullptr, c.rows, c.columns, a.rows, *in, *out};
  shape.batch = static_cast<std::size_t>(c.batch);
  shape.stride = static_cast<std::size_t>(c.stride) * bytes_of(*out);
  if (shape.batch > 1 && shape.stride < c.rows * c.columns * bytes_of(*out)) return std::nullopt;
  shape.tflops = rate->second;
  return shape;
}

void compute_all(const Shape& shape, ContentId product, bool is_always_wrong) {
  // The last product that was computed: batches of other sizes want it again.
  static ContentId kept = 0;
  static std::vector<unsigned char> kept_bytes;
  const std::size_t bytes = shape.of.m * shape.of.n * bytes_of(shape.of.out);
  auto* const first = static_cast<unsigned char*>(shape.of.c);
  if (kept == product) {
    std::memcpy(first, kept_bytes.data(), bytes);
  } else {
    multiply(shape.of);
    kept = product;
    kept_bytes.assign(first, first + bytes);
  }
  // A bit in the middle of a mantissa of one element, always the same one.
  if (is_always_wrong) first[bytes / 3 / 8 * 8 + bytes_of(shape.of.out) - 2] ^= 0x10;
  for (std::size_t i = 1; i < shape.batch; ++i) std::memcpy(first + i * shape.stride, first, bytes);
}

Work work_of(Machine& machine, int gpu, const Shape& shape) {
  const Multiplication& of = shape.of;
  const double flop = 2.0 * static_cast<double>(of.m) * static_cast<double>(of.n) * static_cast<double>(of.k);
  Work work;
  work.fixed_ns = kLaunchNs;
  work.amount = flop * static_cast<double>(shape.batch) / shape.tflops / 1000;
  work.path = {machine.arithmetic(gpu)};
  machine.set_load(work, gpu, Load::arithmetic);
  const bool is_always_wrong = machine.fault(FaultKind::gemm_always, gpu) != nullptr;
  const bool is_sometimes_wrong = machine.fault(FaultKind::gemm_random, gpu) != nullptr;
  const std::size_t extent = (shape.batch - 1) * shape.stride + of.m * of.n * bytes_of(of.out);
  ContentId key = derived_content(derived_content(of.m, of.n), of.k);
  key = derived_content(derived_content(key, static_cast<std::uint64_t>(of.in) * 8 + static_cast<std::uint64_t>(of.out)),
                        is_always_wrong ? static_cast<std::uint64_t>(gpu) + 2 : 1);
  const std::vector<Access> accesses{{of.a, of.m * of.k * bytes_of(of.in), false},
                                     {of.b, of.n * of.k * bytes_of(of.in), false},
                                     {of.c, extent, true}};
  work.act = [&machine, gpu, shape, is_always_wrong, is_sometimes_wrong, key, accesses, extent] {
    static std::map<int, Flips> flips;
    if (is_sometimes_wrong) undo(machine, flips[gpu]);
    machine.do_pure(gpu, key, accesses, [&] {
      ContentId product = derived_content(static_cast<std::uint64_t>(shape.of.in) + 1, shape.of.m);
      for (const Access& access : accesses) {
        if (!access.is_write) product = derived_content(product, machine.memory().content(access.at, access.extent));
      }
      compute_all(shape, product, is_always_wrong);
    });
    if (is_sometimes_wrong) {
      flip_now_and_then(machine, flips[gpu], shape.of.c, extent, key + static_cast<std::uint64_t>(gpu));
    }
  };
  return work;
}

template <class T>
cublasStatus_t set(T& field, const void* from, std::size_t bytes) {
  if (from == nullptr || bytes != sizeof field) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&field, from, sizeof field);
  return CUBLAS_STATUS_SUCCESS;
}

double scalar(const rackproof_simulated_operation& op, const void* value) {
  return op.scale == CUDA_R_64F ? *static_cast<const double*>(value)
                                : static_cast<double>(*static_cast<const float*>(value));
}

}  // namespace
}  // namespace rackproof::simulator

using namespace rackproof::simulator;

extern "C" {

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  if (current_gpu() < 0) return CUBLAS_STATUS_NOT_INITIALIZED;
  *handle = new cublasLtContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
const char* cublasLtGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "the library was not initialized";
    case CUBLAS_STATUS_INVALID_VALUE: return "an unsupported value or parameter was passed to the function";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "the requested functionality is not supported";
    default: return "the GPU program failed to execute";
  }
}
std::size_t cublasLtGetVersion(void) { return RACKPROOF_CUDA_MAJOR * 10000; }

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* op, cublasComputeType_t compute, cudaDataType_t scale) {
  *op = new rackproof_simulated_operation{compute, scale, CUBLAS_OP_N, CUBLAS_OP_N};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t op) {
  delete op;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t op, cublasLtMatmulDescAttributes_t which,
                                              const void* from, std::size_t bytes) {
  switch (which) {
    case CUBLASLT_MATMUL_DESC_TRANSA: return set(op->a, from, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB: return set(op->b, from, bytes);
  }
  return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, std::uint64_t rows,
                                          std::uint64_t columns, std::int64_t leading) {
  *layout = new rackproof_simulated_layout{type, rows, columns, leading, 1, 0};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete layout;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t which,
                                                const void* from, std::size_t bytes) {
  switch (which) {
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT: return set(layout->batch, from, bytes);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET: return set(layout->stride, from, bytes);
  }
  return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = new rackproof_simulated_preference;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete preference;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t, cublasLtMatmulPreferenceAttributes_t,
                                                    const void*, std::size_t) {
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t op, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t,
                                              cublasLtMatmulPreference_t, int wanted,
                                              cublasLtMatmulHeuristicResult_t results[], int* count) {
  *count = 0;
  if (wanted < 1) return CUBLAS_STATUS_INVALID_VALUE;
  if (Machine::here() == nullptr || !shape_of(*Machine::here(), *op, *a, *b, *c)) return CUBLAS_STATUS_NOT_SUPPORTED;
  results[0] = {};
  results[0].algo.data[0] = kAlgorithm;
  results[0].state = CUBLAS_STATUS_SUCCESS;
  results[0].wavesCount = 1;
  *count = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t op, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout,
                              const void* beta, const void*, cublasLtMatrixLayout_t, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* algorithm, void*, std::size_t,
                              cudaStream_t stream) {
  Machine* const machine = Machine::here();
  if (machine == nullptr || handle == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
  const std::scoped_lock lock(machine->mutex);
  if (algorithm == nullptr || algorithm->data[0] != kAlgorithm) return CUBLAS_STATUS_INVALID_VALUE;
  if (scalar(*op, alpha) != 1 || scalar(*op, beta) != 0) return CUBLAS_STATUS_NOT_SUPPORTED;
  std::optional<Shape> shape = shape_of(*machine, *op, *a_layout, *b_layout, *d_layout);
  if (!shape) return CUBLAS_STATUS_NOT_SUPPORTED;
  const int gpu = stream == nullptr ? current_gpu() : gpu_of_stream(stream);
  if (gpu < 0) return CUBLAS_STATUS_INVALID_VALUE;
  if (machine->is_lost(gpu)) return CUBLAS_STATUS_EXECUTION_FAILED;
  if (!machine->has_code(gpu, "a product of " + name_of(*shape))) return CUBLAS_STATUS_EXECUTION_FAILED;
  shape->of.a = a;
  shape->of.b = b;
  shape->of.c = d;
  const cudaError_t code = submit(*machine, stream_of(*machine, stream, gpu), work_of(*machine, gpu, *shape));
  return code == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
