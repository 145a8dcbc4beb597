// How every entry point of the stand-in libcudart begins: one lock, the machine, the GPU that is meant, or why not.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "tests/simulator/cudart.h"

namespace rackproof::simulator {

struct Handles {
  std::map<int, StreamId> default_streams;  // by GPU
  std::map<StreamId, int> stream_gpus;
  std::map<EventId, int> event_gpus;
  std::set<std::pair<int, int>> peers;  // that were enabled
};
Handles& handles();

int current_index();  // CUDA's, of this thread
void set_current_index(int);

// Keeps an error for cudaGetLastError, and gives it back.
cudaError_t remember(cudaError_t);
cudaError_t take_last_error();
cudaError_t last_error();

cudaError_t state_of_driver();

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
  return on_gpu(current_index(), body);
}

template <class T>
T handle(std::uint64_t id) {
  return reinterpret_cast<T>(id);
}
template <class T>
std::uint64_t id_of(T one) {
  return reinterpret_cast<std::uint64_t>(one);
}


}  // namespace rackproof::simulator
