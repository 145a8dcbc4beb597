#include "checks/gpu/crew.h"

#include <algorithm>

#include "checks/gpu/cuda_error.h"
#include "checks/gpu/cuda_wait.h"

namespace rackproof {

Crew::Crew(Context& context, const std::vector<Gpu>& gpus) : context_(context) {
  hands_.reserve(gpus.size());
  for (const Gpu& gpu : gpus) {
    try {
      hands_.emplace_back(gpu);
      hands_.back().number = hands_.size() - 1;
    } catch (const CudaError& error) {
      context_.fault(gpu.id, "gpu-lost", std::string("it cannot be used: ") + error.what());
    }
  }
}

bool Crew::is_gone() const { return std::ranges::all_of(hands_, &Hand::is_out); }

void Crew::leave_out(Hand& hand, std::string_view code, std::string_view why) {
  if (hand.is_out) return;
  hand.is_out = true;
  if (code == "gpu-hung") abandon_gpu(hand.gpu.index);
  context_.fault(hand.gpu.id, code, why);
}

bool Crew::attempt(Hand& hand, const std::function<void()>& act) {
  if (hand.is_out) return false;
  try {
    act();
    return true;
  } catch (const CudaError& error) {
    leave_out(hand, error.is_final() ? "gpu-lost" : "cuda-error",
              std::string(error.is_final() ? "lost while it was measured: " : "could not be measured: ") + error.what());
    return false;
  }
}

std::vector<std::int64_t> Crew::together(const std::function<void(Hand&)>& queue, std::chrono::milliseconds at_most) {
  gate_.close();
  for (Hand& hand : hands_) {
    attempt(hand, [&] {
      gate_.hold(hand.stream);
      hand.begin.record(hand.stream);
      queue(hand);
      hand.end.record(hand.stream);
    });
  }
  gate_.open();
  std::vector<Hand*> waiting;
  std::vector<const CudaEvent*> ends;
  for (Hand& hand : hands_) {
    if (hand.is_out) continue;
    waiting.push_back(&hand);
    ends.push_back(&hand.end);
  }
  const std::vector<WaitResult> results = wait_for_all(ends, at_most);
  std::vector<std::int64_t> times(hands_.size(), 0);
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    Hand& hand = *waiting[i];
    if (results[i].how == Waited::failed) leave_out(hand, "gpu-lost", "lost while it was measured: " + results[i].why);
    if (results[i].how == Waited::late) {
      leave_out(hand, "gpu-hung", "did not end its work within " + std::to_string(at_most.count()) + " ms");
    }
    attempt(hand, [&] { times[hand.number] = nanoseconds_between(hand.begin, hand.end); });
  }
  return times;
}

}  // namespace rackproof
