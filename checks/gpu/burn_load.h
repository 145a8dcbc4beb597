// Keeps many GPUs busy at once from one thread, each for the same device time, whatever happens to the others.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "checks/api/check.h"
#include "checks/gpu/burn_run.h"
#include "checks/gpu/gate.h"

namespace rackproof {

enum class LoadShape { steady, in_phase, out_of_phase };

class BurnLoad {
 public:
  BurnLoad(Context& context, LoadShape shape, double period_s) : context_(context), shape_(shape), period_s_(period_s) {}

  // Queues what run() puts before all else, so that its code is loaded before it matters.
  void warm_up(BurnRun& run) {
    gate_.open();
    gate_.hold(run.burning->stream());
  }

  // Device time that each GPU works, pauses of pulses with it.
  void run(std::span<BurnRun> runs, double seconds);

  // States the fault of a GPU, and takes it out of all that follows.
  void drop(BurnRun&, const std::string& code, const std::string& why);
  // Runs `body` for it unless it is lost; a failure drops it.
  template <class Body>
  void guarded(BurnRun& run, Body body) {
    if (run.is_lost) return;
    try {
      body();
    } catch (const CudaError& error) {
      drop(run, error.is_final() ? "gpu-lost" : "cuda-error", error.what());
    } catch (const CublasError& error) {
      drop(run, "cublas-error", error.what());
    } catch (const Trouble& late) {
      drop(run, "gpu-hung", late.why);
    }
  }

 private:
  void run_steady(std::span<BurnRun>, double seconds);
  void run_pulses(std::span<BurnRun>, double seconds);
  void take(BurnRun&);
  void look(BurnRun&);

  Context& context_;
  LoadShape shape_;
  double period_s_;
  Gate gate_;
};

}  // namespace rackproof
