#include "checks/gpu/cuda_wait.h"

#include <algorithm>
#include <thread>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

using Clock = std::chrono::steady_clock;

// Between two looks: long against a query (about 1 us), short against a sample (50 ms and more).
constexpr auto kPause = std::chrono::microseconds(50);

WaitResult look(const CudaEvent& event) {
  if (const cudaError_t code = cudaSetDevice(event.gpu()); code != cudaSuccess) {
    return {Waited::failed, CudaError(code, "cudaSetDevice", event.gpu()).what()};
  }
  const cudaError_t code = cudaEventQuery(event.get());
  if (code == cudaSuccess) return {Waited::done, ""};
  if (code == cudaErrorNotReady) return {Waited::late, ""};
  return {Waited::failed, CudaError(code, "cudaEventQuery", event.gpu()).what()};
}

}  // namespace

std::int64_t nanoseconds_between(const CudaEvent& begin, const CudaEvent& end) {
  float milliseconds = 0;
  cuda_call(cudaEventElapsedTime(&milliseconds, begin.get(), end.get()), "cudaEventElapsedTime", end.gpu());
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(milliseconds) * 1e6));
}

std::vector<WaitResult> wait_for_all(std::span<const CudaEvent* const> events, std::chrono::milliseconds at_most) {
  std::vector<WaitResult> results(events.size());
  const auto deadline = Clock::now() + at_most;
  while (true) {
    bool is_waiting = false;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (results[i].how == Waited::late) results[i] = look(*events[i]);
      is_waiting = is_waiting || results[i].how == Waited::late;
    }
    if (!is_waiting || Clock::now() >= deadline) return results;
    std::this_thread::sleep_for(kPause);
  }
}

Waited wait_for(const CudaEvent& event, std::chrono::milliseconds at_most, std::string& why) {
  const CudaEvent* const one[] = {&event};
  WaitResult result = wait_for_all(one, at_most).front();
  why = std::move(result.why);
  return result.how;
}

void need(const CudaEvent& event, std::chrono::milliseconds at_most, const char* what) {
  std::string why;
  switch (wait_for(event, at_most, why)) {
    case Waited::done: return;
    case Waited::failed:
      cuda_call(cudaEventQuery(event.get()), what, event.gpu());
      throw Trouble{std::string(what) + ": " + why};
    case Waited::late:
      abandon_gpu(event.gpu());
      throw Trouble{std::string(what) + " on GPU " + std::to_string(event.gpu()) + " did not end within " +
                    std::to_string(at_most.count()) + " ms"};
  }
}

}  // namespace rackproof
