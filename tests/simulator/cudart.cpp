// The stand-in libcudart: the simulated node behind CUDA's own names. One lock, one machine, time that passes when
// somebody waits.
#include "tests/simulator/cudart.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <utility>

namespace rackproof::simulator {
namespace {

constexpr int kRuntimeVersion = RACKPROOF_CUDA_VERSION;

thread_local int current = 0;
thread_local cudaError_t last_error = cudaSuccess;

struct Handles {
  std::map<int, StreamId> default_streams;     // by GPU
  std::map<StreamId, int> stream_gpus;
  std::map<EventId, int> event_gpus;
  std::set<std::pair<int, int>> peers;         // that were enabled
};
Handles& handles() {
  static Handles all;
  return all;
}

cudaError_t remember(cudaError_t code) {
  if (code != cudaSuccess && code != cudaErrorNotReady) last_error = code;
  return code;
}

cudaError_t state_of_driver() {
  Machine* machine = Machine::here();
  if (machine == nullptr || machine->present().empty()) return cudaErrorNoDevice;
  if (machine->fault(FaultKind::driver_old, -1) != nullptr) return cudaErrorInsufficientDriver;
  return cudaSuccess;
}

// What every call on a GPU begins with: the GPU's number in the profile, or why not.
struct On {
  Machine& machine;
  int gpu;
};

// What the driver knows of a GPU, whether that answers or not.
template <class Body>
cudaError_t about_gpu(int cuda_index, Body body) {
  if (const cudaError_t code = state_of_driver(); code != cudaSuccess) return remember(code);
  Machine& machine = *Machine::here();
  const std::scoped_lock lock(machine.mutex);
  if (cuda_index < 0 || cuda_index >= static_cast<int>(machine.present().size())) return remember(cudaErrorInvalidDevice);
  return remember(body(On{machine, machine.present()[static_cast<std::size_t>(cuda_index)]}));
}

template <class Body>
cudaError_t on_gpu(int cuda_index, Body body) {
  return about_gpu(cuda_index, [&](On on) { return on.machine.is_lost(on.gpu) ? cudaErrorLaunchFailure : body(on); });
}

template <class Body>
cudaError_t here(Body body) {
  return on_gpu(current, body);
}

template <class T>
T handle(std::uint64_t id) {
  return reinterpret_cast<T>(id);
}
template <class T>
std::uint64_t id_of(T one) {
  return reinterpret_cast<std::uint64_t>(one);
}

std::size_t room(Machine& machine, int gpu) {
  const auto all = static_cast<std::size_t>(machine.profile().kind.memory_simulated_bytes);
  return machine.fault(FaultKind::memory_full, gpu) != nullptr ? all / 50 : all;
}

struct Place {
  int gpu = kHost;
  int numa = 0;
  bool is_known = false;
};

Place place_of(Machine& machine, const void* at) {
  const Allocation* one = machine.memory().find(at);
  return one == nullptr ? Place{} : Place{one->gpu, one->numa, true};
}

// Every few copies a bit flips, where that is what is broken.
void spoil_copy(Machine& machine, int gpu, FaultKind kind, void* to, std::size_t bytes) {
  constexpr std::uint64_t kEvery = 7;
  constexpr std::size_t kLeast = 4096;
  static std::map<int, std::uint64_t> copies;
  if (gpu < 0 || bytes < kLeast || machine.fault(kind, gpu) == nullptr) return;
  if (++copies[gpu] % kEvery == 0) machine.flip_bit(to, bytes, copies[gpu]);
}

Work copy_work(Machine& machine, void* to, const void* from, std::size_t bytes, int gpu) {
  const Place source = place_of(machine, from);
  const Place target = place_of(machine, to);
  Work work;
  work.fixed_ns = 1200;
  work.amount = static_cast<double>(bytes);
  if (source.gpu == target.gpu && source.gpu != kHost) work.amount *= 2;  // read and written
  work.path = machine.copy_path(source.gpu, source.numa, target.gpu, target.numa);
  if (work.path.empty()) work.rate_cap = 10;  // host to host
  machine.set_load(work, gpu, Load::copy);
  work.act = [&machine, to, from, bytes, source, target] {
    Memory& memory = machine.memory();
    const ContentId content = source.is_known ? memory.content(from, bytes) : 0;
    if (content == 0 || !target.is_known || memory.content(to, bytes) != content) std::memmove(to, from, bytes);
    if (content != 0) {
      memory.written(to, bytes, content);
    } else {
      memory.written(to, bytes);
    }
    machine.after_write(target.gpu, to, bytes);
    if (source.gpu != kHost && target.gpu != kHost && source.gpu != target.gpu) {
      spoil_copy(machine, target.gpu, FaultKind::flip_peer_copies, to, bytes);
      spoil_copy(machine, source.gpu, FaultKind::flip_peer_copies, to, bytes);
    } else if (source.gpu != target.gpu) {
      spoil_copy(machine, std::max(source.gpu, target.gpu), FaultKind::flip_copies, to, bytes);
    }
  };
  return work;
}

}  // namespace

int gpu_of(int cuda_index) {
  Machine* machine = Machine::here();
  if (machine == nullptr || cuda_index < 0 || cuda_index >= static_cast<int>(machine->present().size())) return -1;
  return machine->present()[static_cast<std::size_t>(cuda_index)];
}

int current_gpu() { return gpu_of(current); }

StreamId stream_of(Machine& machine, cudaStream_t stream, int gpu) {
  if (stream != nullptr) return id_of(stream);
  StreamId& id = handles().default_streams[gpu];
  if (id == 0) {
    id = machine.timeline().add_stream(gpu);
    handles().stream_gpus[id] = gpu;
  }
  return id;
}

int gpu_of_stream(cudaStream_t stream) {
  const auto found = handles().stream_gpus.find(id_of(stream));
  return found == handles().stream_gpus.end() ? -1 : found->second;
}

}  // namespace rackproof::simulator

using namespace rackproof::simulator;

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 0;
  if (const cudaError_t code = state_of_driver(); code != cudaSuccess) return remember(code);
  *count = static_cast<int>(Machine::here()->present().size());
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (const cudaError_t code = state_of_driver(); code != cudaSuccess) return remember(code);
  if (gpu_of(device) < 0) return remember(cudaErrorInvalidDevice);
  current = device;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = current;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, enum cudaDeviceAttr attr, int device) {
  return about_gpu(device, [&](On on) {
    const GpuKind& kind = on.machine.profile().kind;
    switch (attr) {
      case cudaDevAttrMultiProcessorCount: *value = kind.multiprocessors; return cudaSuccess;
      case cudaDevAttrL2CacheSize: *value = static_cast<int>(kind.l2_bytes); return cudaSuccess;
      case cudaDevAttrMaxThreadsPerMultiProcessor: *value = kind.threads_per_multiprocessor; return cudaSuccess;
      case cudaDevAttrClockRate: *value = static_cast<int>(kind.sm_clock_mhz * 1000); return cudaSuccess;
      case cudaDevAttrComputeCapabilityMajor: *value = kind.compute_major; return cudaSuccess;
      case cudaDevAttrComputeCapabilityMinor: *value = kind.compute_minor; return cudaSuccess;
    }
    return cudaErrorInvalidValue;
  });
}

cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
  return about_gpu(device, [&](On on) {
    std::string address = on.machine.profile().gpus[static_cast<std::size_t>(on.gpu)].address;
    std::ranges::transform(address, address.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    std::snprintf(text, static_cast<std::size_t>(length), "%s", address.c_str());
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceSynchronize(void) {
  return here([](On on) {
    on.machine.timeline().run();
    if (on.machine.is_lost(on.gpu)) return cudaErrorLaunchFailure;
    return on.machine.timeline().is_gpu_idle(on.gpu) ? cudaSuccess : cudaErrorLaunchTimeout;
  });
}

cudaError_t cudaDeviceReset(void) { return cudaSuccess; }

cudaError_t cudaDriverGetVersion(int* version) {
  Machine* machine = Machine::here();
  if (machine == nullptr) {
    *version = 0;
  } else {
    *version = machine->fault(FaultKind::driver_old, -1) != nullptr ? 11040 : machine->profile().cuda_version;
  }
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = kRuntimeVersion;
  return cudaSuccess;
}

cudaError_t cudaGetLastError(void) { return std::exchange(last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError(void) { return last_error; }

cudaError_t cudaMalloc(void** where, size_t bytes) {
  return here([&](On on) {
    *where = on.machine.memory().allocate(on.gpu, bytes, room(on.machine, on.gpu));
    return *where == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
  });
}

cudaError_t cudaFree(void* where) {
  if (where == nullptr) return cudaSuccess;
  return here([&](On on) {
    on.machine.timeline().run();
    return on.machine.memory().release(where) ? cudaSuccess : cudaErrorInvalidValue;
  });
}

cudaError_t cudaHostAlloc(void** where, size_t bytes, unsigned int) {
  return here([&](On on) {
    *where = on.machine.memory().allocate(kHost, bytes, 0);
    return *where == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
  });
}

cudaError_t cudaFreeHost(void* where) { return cudaFree(where); }

cudaError_t cudaHostRegister(void* where, size_t bytes, unsigned int) {
  return here([&](On on) {
    on.machine.memory().adopt(where, bytes, on.machine.memory().numa_of(where));
    return cudaSuccess;
  });
}

cudaError_t cudaHostUnregister(void* where) { return cudaFree(where); }

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  return here([&](On on) {
    const std::size_t all = room(on.machine, on.gpu);
    *total = static_cast<std::size_t>(on.machine.profile().kind.memory_simulated_bytes);
    *free = all - std::min(all, on.machine.memory().used(on.gpu));
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, enum cudaMemcpyKind, cudaStream_t stream) {
  return here([&](On on) {
    submit(on.machine, stream_of(on.machine, stream, on.gpu),
           copy_work(on.machine, to, from, bytes, stream == nullptr ? on.gpu : gpu_of_stream(stream)));
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, enum cudaMemcpyKind kind) {
  if (const cudaError_t code = cudaMemcpyAsync(to, from, bytes, kind, nullptr); code != cudaSuccess) return code;
  return cudaStreamSynchronize(nullptr);
}

cudaError_t cudaMemcpyPeerAsync(void* to, int, const void* from, int, size_t bytes, cudaStream_t stream) {
  return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream);
}

cudaError_t cudaMemsetAsync(void* where, int value, size_t bytes, cudaStream_t stream) {
  return here([&](On on) {
    Machine& machine = on.machine;
    Work work;
    work.fixed_ns = 1200;
    work.amount = static_cast<double>(bytes);
    work.path = {machine.hbm(on.gpu)};
    machine.set_load(work, on.gpu, Load::memory);
    work.act = [&machine, gpu = on.gpu, where, value, bytes] {
      std::memset(where, value, bytes);
      machine.memory().written(where, bytes);
      machine.after_write(gpu, where, bytes);
    };
    submit(machine, stream_of(machine, stream, on.gpu), std::move(work));
    return cudaSuccess;
  });
}

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
    submit(on.machine, stream_of(on.machine, stream, on.gpu),
           on.machine.work_of(gpu, kernel->prepare(grid, block, args), *kernel));
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceCanAccessPeer(int* can, int device, int peer) {
  return on_gpu(device, [&](On on) {
    const int other = gpu_of(peer);
    if (other < 0) return cudaErrorInvalidDevice;
    *can = device != peer && (on.machine.profile().kind.nvlinks == 0 ||
                              (on.machine.nvlink_share(on.gpu) > 0 && on.machine.nvlink_share(other) > 0));
    return cudaSuccess;
  });
}

cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned int) {
  return here([&](On on) {
    if (gpu_of(peer) < 0) return cudaErrorInvalidDevice;
    return handles().peers.insert({on.gpu, gpu_of(peer)}).second ? cudaSuccess : cudaErrorPeerAccessAlreadyEnabled;
  });
}

cudaError_t cudaDeviceDisablePeerAccess(int peer) {
  return here([&](On on) {
    return handles().peers.erase({on.gpu, gpu_of(peer)}) > 0 ? cudaSuccess : cudaErrorPeerAccessNotEnabled;
  });
}

}  // extern "C"
