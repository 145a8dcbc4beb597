// The stand-in libcudart: streams, events, and kernels that are put into them. Time passes only when somebody waits.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/simulator/cudart_call.h"

using namespace rackproof::simulator;

namespace {

// As of the process's first call of CUDA.
bool loads_at_start() {
  static const bool eager = [] {
    const char* const value = std::getenv("CUDA_MODULE_LOADING");
    return value != nullptr && std::string_view(value) == "EAGER";
  }();
  return eager;
}

}  // namespace

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int) {
  return here([&](On on) {
    const StreamId id = on.machine.timeline().add_stream(on.gpu);
    handles().stream_gpus[id] = on.gpu;
    *stream = handle<cudaStream_t>(id);
    return cudaSuccess;
  });
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return here([&](On on) {
    handles().stream_gpus.erase(id_of(stream));
    return on.machine.timeline().remove_stream(id_of(stream)) ? cudaSuccess : cudaErrorInvalidResourceHandle;
  });
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
  return here([&](On on) {
    on.machine.timeline().run();
    if (on.machine.is_lost(on.gpu)) return cudaErrorLaunchFailure;
    return on.machine.timeline().is_idle(stream_of(on.machine, stream, on.gpu)) ? cudaSuccess : cudaErrorNotReady;
  });
}

// A stream that can never end would make the real call hang; this one says so, because time passes only in here.
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  const cudaError_t code = cudaStreamQuery(stream);
  return code == cudaErrorNotReady ? remember(cudaErrorLaunchTimeout) : code;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int) {
  return here([&](On on) {
    if (!on.machine.timeline().has_event(id_of(event))) return cudaErrorInvalidResourceHandle;
    on.machine.timeline().await(stream_of(on.machine, stream, on.gpu), id_of(event));
    return cudaSuccess;
  });
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int) {
  return here([&](On on) {
    const EventId id = on.machine.timeline().add_event();
    handles().event_gpus[id] = on.gpu;
    *event = handle<cudaEvent_t>(id);
    return cudaSuccess;
  });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return here([&](On on) {
    handles().event_gpus.erase(id_of(event));
    return on.machine.timeline().remove_event(id_of(event)) ? cudaSuccess : cudaErrorInvalidResourceHandle;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return here([&](On on) {
    if (!on.machine.timeline().has_event(id_of(event))) return cudaErrorInvalidResourceHandle;
    on.machine.timeline().record(stream_of(on.machine, stream, on.gpu), id_of(event));
    return cudaSuccess;
  });
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return here([&](On on) {
    on.machine.timeline().run();
    const auto gpu = handles().event_gpus.find(id_of(event));
    if (gpu == handles().event_gpus.end()) return cudaErrorInvalidResourceHandle;
    if (on.machine.is_lost(gpu->second)) return cudaErrorLaunchFailure;
    return on.machine.timeline().has_happened(id_of(event)) ? cudaSuccess : cudaErrorNotReady;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  const cudaError_t code = cudaEventQuery(event);
  return code == cudaErrorNotReady ? remember(cudaErrorLaunchTimeout) : code;
}

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
  return here([&](On on) {
    const Timeline& timeline = on.machine.timeline();
    if (!timeline.has_happened(id_of(start)) || !timeline.has_happened(id_of(end))) return cudaErrorNotReady;
    *ms = static_cast<float>((timeline.time_ns(id_of(end)) - timeline.time_ns(id_of(start))) / 1e6);
    return cudaSuccess;
  });
}

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** args, size_t, cudaStream_t stream) {
  return here([&](On on) {
    const Kernel* kernel = find_kernel(kernel_name(function));
    if (kernel == nullptr) {
      std::fprintf(stderr, "simulator: nobody knows the kernel '%s'\n", kernel_name(function).c_str());
      return cudaErrorNotSupported;
    }
    const int gpu = stream == nullptr ? on.gpu : gpu_of_stream(stream);
    if (!loads_at_start() && !on.machine.has_code(gpu, kernel->name)) return cudaErrorLaunchTimeout;
    return submit(on.machine, stream_of(on.machine, stream, on.gpu),
                  on.machine.work_of(gpu, kernel->prepare(grid, block, args), *kernel));
  });
}

}  // extern "C"
