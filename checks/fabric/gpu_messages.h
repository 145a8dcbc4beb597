// Messages in the memory of a GPU.
#pragma once

#include <exception>

#include "checks/fabric/message_memory.h"
#include "checks/gpu/cuda_devices.h"
#include "checks/gpu/cuda_handles.h"

namespace rackproof {

class GpuMessages : public MessageMemory {
 public:
  // `largest`: of a message. Throws CudaError.
  GpuMessages(const Gpu&, std::size_t largest);

  ucs_memory_type_t type() const override { return UCS_MEMORY_TYPE_CUDA; }
  std::string device() const override { return gpu_.id; }
  void* allocate(std::size_t bytes) override;
  void release(void*) override;
  void write(std::byte* to, std::span<const std::byte> from) override;
  std::span<const std::byte> read(std::span<const std::byte>) noexcept override;
  void check() override;

 private:
  void fetch(std::span<const std::byte>);
  void finish(const char* what);

  Gpu gpu_;
  bool is_to_be_flushed_;  // what an adapter wrote is not there yet for who copies it
  PinnedMemory staging_;  // where messages are looked at
  Stream stream_;
  CudaEvent copied_;
  std::exception_ptr failure_;
};

}  // namespace rackproof
