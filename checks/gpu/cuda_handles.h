// Streams, events and memory of a GPU that are given back when they go out of scope, unless it hangs. All of them make their
// GPU the current one where CUDA asks for it, so that one thread can drive every GPU of a node.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "checks/gpu/cuda_abandoned.h"
#include "checks/gpu/cuda_error.h"

namespace rackproof {

inline void use_gpu(int gpu) { cuda_call(cudaSetDevice(gpu), "cudaSetDevice", gpu); }

class Stream {
 public:
  explicit Stream(int gpu) : gpu_(gpu) {
    use_gpu(gpu);
    cuda_call(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags", gpu);
  }
  Stream(Stream&& other) noexcept : gpu_(other.gpu_), stream_(std::exchange(other.stream_, nullptr)) {}
  Stream& operator=(Stream&&) = delete;
  ~Stream() {
    if (stream_ != nullptr && !is_abandoned(gpu_)) cudaStreamDestroy(stream_);
  }
  cudaStream_t get() const { return stream_; }
  int gpu() const { return gpu_; }

 private:
  int gpu_;
  cudaStream_t stream_ = nullptr;
};

// A point in a stream that carries a time.
class CudaEvent {
 public:
  explicit CudaEvent(int gpu) : gpu_(gpu) {
    use_gpu(gpu);
    cuda_call(cudaEventCreateWithFlags(&event_, cudaEventDefault), "cudaEventCreateWithFlags", gpu);
  }
  CudaEvent(CudaEvent&& other) noexcept : gpu_(other.gpu_), event_(std::exchange(other.event_, nullptr)) {}
  CudaEvent& operator=(CudaEvent&&) = delete;
  ~CudaEvent() {
    if (event_ != nullptr && !is_abandoned(gpu_)) cudaEventDestroy(event_);
  }
  void record(const Stream& stream) {
    use_gpu(gpu_);
    cuda_call(cudaEventRecord(event_, stream.get()), "cudaEventRecord", gpu_);
  }
  cudaEvent_t get() const { return event_; }
  int gpu() const { return gpu_; }

 private:
  int gpu_;
  cudaEvent_t event_ = nullptr;
};

// Device time between two events that have both happened, at least 1 ns. CUDA gives it as a float of milliseconds with a
// resolution of about half a microsecond.
std::int64_t nanoseconds_between(const CudaEvent& begin, const CudaEvent& end);

class DeviceMemory {
 public:
  DeviceMemory(int gpu, std::size_t bytes) : gpu_(gpu), bytes_(bytes) {
    use_gpu(gpu);
    cuda_call(cudaMalloc(&data_, bytes), "cudaMalloc", gpu);
  }
  DeviceMemory(DeviceMemory&& other) noexcept
      : gpu_(other.gpu_), bytes_(other.bytes_), data_(std::exchange(other.data_, nullptr)) {}
  DeviceMemory& operator=(DeviceMemory&&) = delete;
  ~DeviceMemory() {
    if (data_ != nullptr && !is_abandoned(gpu_) && cudaSetDevice(gpu_) == cudaSuccess) cudaFree(data_);
  }
  template <class T = void>
  T* get() const {
    return static_cast<T*>(data_);
  }
  std::size_t bytes() const { return bytes_; }
  int gpu() const { return gpu_; }

 private:
  int gpu_;
  std::size_t bytes_;
  void* data_ = nullptr;
};

// Host memory that GPUs reach directly: pinned, mapped, and known to every GPU.
class PinnedMemory {
 public:
  explicit PinnedMemory(std::size_t bytes) : bytes_(bytes) {
    cuda_call(cudaHostAlloc(&data_, bytes, cudaHostAllocPortable | cudaHostAllocMapped), "cudaHostAlloc");
  }
  PinnedMemory(PinnedMemory&& other) noexcept : bytes_(other.bytes_), data_(std::exchange(other.data_, nullptr)) {}
  PinnedMemory& operator=(PinnedMemory&&) = delete;
  ~PinnedMemory() {
    if (data_ != nullptr && !is_any_abandoned()) cudaFreeHost(data_);
  }
  template <class T = void>
  T* get() const {
    return static_cast<T*>(data_);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_;
  void* data_ = nullptr;
};

}  // namespace rackproof
