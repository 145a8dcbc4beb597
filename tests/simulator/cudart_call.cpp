#include "tests/simulator/cudart_call.h"

namespace rackproof::simulator {
namespace {

thread_local int current = 0;
thread_local cudaError_t last = cudaSuccess;

}  // namespace

Handles& handles() {
  static Handles all;
  return all;
}

int current_index() { return current; }
void set_current_index(int index) { current = index; }

cudaError_t remember(cudaError_t code) {
  if (code != cudaSuccess && code != cudaErrorNotReady) last = code;
  return code;
}

cudaError_t take_last_error() { return std::exchange(last, cudaSuccess); }
cudaError_t last_error() { return last; }

cudaError_t state_of_driver() {
  Machine* machine = Machine::here();
  if (machine == nullptr || machine->present().empty()) return cudaErrorNoDevice;
  if (machine->fault(FaultKind::fabric_down, -1) != nullptr) return cudaErrorSystemNotReady;
  if (machine->fault(FaultKind::driver_old, -1) != nullptr) return cudaErrorInsufficientDriver;
  return cudaSuccess;
}

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
