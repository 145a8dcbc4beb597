// The stand-in libcudart: memory of GPUs and of the host, and copies between them.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "tests/simulator/cudart_call.h"

namespace rackproof::simulator {
namespace {

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

// As the driver does before it gives memory back: until the GPU that has it is done, of the host's all of them. A GPU that
// hangs never is.
void wait_until_unused(Machine& machine, const void* where) {
  machine.timeline().run();
  const Allocation* const one = machine.memory().find(where);
  const int owner = one == nullptr ? kHost : one->gpu;
  const auto& gpus = machine.present();
  const bool has_hung = std::ranges::any_of(gpus, [&](int gpu) { return machine.is_hung(gpu); });
  const auto is_busy = [&](int gpu) { return (owner == kHost || owner == gpu) && !machine.timeline().is_gpu_idle(gpu); };
  while (has_hung && std::ranges::any_of(gpus, is_busy)) ::pause();
}

}  // namespace
}  // namespace rackproof::simulator

using namespace rackproof::simulator;

extern "C" {

cudaError_t cudaMalloc(void** where, size_t bytes) {
  return here([&](On on) {
    *where = on.machine.memory().allocate(on.gpu, bytes, room(on.machine, on.gpu));
    return *where == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
  });
}

cudaError_t cudaFree(void* where) {
  if (where == nullptr) return cudaSuccess;
  return here([&](On on) {
    wait_until_unused(on.machine, where);
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
    return submit(on.machine, stream_of(on.machine, stream, on.gpu),
                  copy_work(on.machine, to, from, bytes, stream == nullptr ? on.gpu : gpu_of_stream(stream)));
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
    return submit(machine, stream_of(machine, stream, on.gpu), std::move(work));
  });
}

}  // extern "C"
