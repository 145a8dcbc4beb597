// Starts a kernel as a function call: launch(kernel, {grid, block}, stream, arguments…). In place of <<<>>>, which only
// nvcc reads, so that the same sources can be compiled by any C++ compiler for a simulated GPU.
//
// Kernels here are extern "C" (their names are how the simulator knows them) and use neither shared memory nor warp
// operations: the simulator runs one thread after the other.
#pragma once

#include <cuda_runtime.h>

#include "checks/gpu/cuda_handles.h"

namespace rackproof {

struct Shape {
  unsigned int blocks = 1;
  unsigned int threads = 1;  // of a block
};

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), Shape shape, const Stream& stream, Arguments... arguments) {
  use_gpu(stream.gpu());
  const auto start = [&](Parameters... converted) {
    void* addresses[] = {const_cast<void*>(static_cast<const volatile void*>(&converted))..., nullptr};
    cuda_call(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), dim3(shape.blocks), dim3(shape.threads), addresses, 0,
                               stream.get()),
              "cudaLaunchKernel", stream.gpu());
  };
  start(static_cast<Parameters>(arguments)...);
}

}  // namespace rackproof
