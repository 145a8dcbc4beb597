// What the other stand-ins need of the simulated CUDA runtime: which GPU and stream a handle means.
#pragma once

#include <cuda_runtime.h>

#include "tests/simulator/machine.h"

namespace rackproof::simulator {

// The profile's number of the GPU that is current in this thread; -1 when there is none.
int current_gpu();
// The profile's number of a GPU that CUDA counts; -1 when it does not exist.
int gpu_of(int cuda_index);
// The stream of a handle on this GPU; 0 means the GPU's default one.
StreamId stream_of(Machine&, cudaStream_t, int gpu);
int gpu_of_stream(cudaStream_t);  // -1 for the default one, which is the current GPU's

// Puts work into a stream, or into the graph that the stream is recording. A full stream lets time pass first; where that
// does not help, as behind a closed gate, the real call would wait until the gate gives up: this one fails.
cudaError_t submit(Machine&, StreamId, Work);

// The name under which a kernel is known, by the address that host code has for it.
std::string kernel_name(const void* function);

}  // namespace rackproof::simulator
