#include "checks/fabric/gpu_messages.h"

#include <chrono>

#include "checks/gpu/cuda_wait.h"

namespace rackproof {
namespace {

constexpr std::chrono::milliseconds kCopiedWithin{10'000};

// A GPU that does not order what adapters write to it before what it does next says so, and has to be told.
bool must_flush(int gpu) {
  int ordering = cudaGPUDirectRDMAWritesOrderingNone, options = 0;
  const auto ask = [gpu](int& value, cudaDeviceAttr which) {
    cuda_call(cudaDeviceGetAttribute(&value, which, gpu), "cudaDeviceGetAttribute", gpu);
  };
  ask(ordering, cudaDevAttrGPUDirectRDMAWritesOrdering);
  ask(options, cudaDevAttrGPUDirectRDMAFlushWritesOptions);
  return ordering < cudaGPUDirectRDMAWritesOrderingOwner && (options & cudaFlushGPUDirectRDMAWritesOptionHost) != 0;
}

}  // namespace

GpuMessages::GpuMessages(const Gpu& gpu, std::size_t largest)
    : gpu_(gpu), is_to_be_flushed_(must_flush(gpu.index)), staging_(largest), stream_(gpu.index), copied_(gpu.index) {}

void* GpuMessages::allocate(std::size_t bytes) {
  use_gpu(gpu_.index);
  void* data = nullptr;
  cuda_call(cudaMalloc(&data, bytes), "cudaMalloc", gpu_.index);
  return data;
}

void GpuMessages::release(void* data) {
  if (cudaSetDevice(gpu_.index) == cudaSuccess) cudaFree(data);
}

void GpuMessages::write(std::byte* to, std::span<const std::byte> from) {
  use_gpu(gpu_.index);
  cuda_call(cudaMemcpyAsync(to, from.data(), from.size(), cudaMemcpyHostToDevice, stream_.get()), "cudaMemcpyAsync",
            gpu_.index);
  finish("to fill in a message");
}

std::span<const std::byte> GpuMessages::read(std::span<const std::byte> place) noexcept {
  try {
    fetch(place);
    return {staging_.get<std::byte>(), place.size()};
  } catch (...) {
    if (!failure_) failure_ = std::current_exception();
    return {};
  }
}

void GpuMessages::check() {
  if (failure_) std::rethrow_exception(failure_);
}

void GpuMessages::fetch(std::span<const std::byte> place) {
  use_gpu(gpu_.index);
  if (is_to_be_flushed_) {
    cuda_call(cudaDeviceFlushGPUDirectRDMAWrites(cudaFlushGPUDirectRDMAWritesTargetCurrentDevice,
                                                 cudaFlushGPUDirectRDMAWritesToOwner),
              "cudaDeviceFlushGPUDirectRDMAWrites", gpu_.index);
  }
  cuda_call(cudaMemcpyAsync(staging_.get(), place.data(), place.size(), cudaMemcpyDeviceToHost, stream_.get()),
            "cudaMemcpyAsync", gpu_.index);
  finish("to bring a message to be verified");
}

void GpuMessages::finish(const char* what) {
  copied_.record(stream_);
  need(copied_, kCopiedWithin, what);
}

}  // namespace rackproof
