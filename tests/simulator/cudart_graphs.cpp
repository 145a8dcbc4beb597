// Graphs of the stand-in CUDA runtime: work that is recorded once and then enqueued as one, again and again.
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <vector>

#include "tests/simulator/cudart.h"

namespace rackproof::simulator {
namespace {

// Launches that a real stream takes before the host has to wait: about a thousand.
constexpr std::size_t kMostQueued = 1000;

struct Graph {
  int gpu = -1;
  std::vector<Work> steps;
  // Of the GPU's memory, when all of it had just been done: as long as nothing else is written, doing it again changes
  // nothing.
  std::uint64_t memory_when_done = 0;
};

std::map<StreamId, std::shared_ptr<Graph>>& recording() {
  static std::map<StreamId, std::shared_ptr<Graph>> now;
  return now;
}

// One piece of work that takes as long as all of them.
Work as_one(Machine& machine, const std::shared_ptr<Graph>& graph) {
  Work all;
  const ResourceId arithmetic = machine.arithmetic(graph->gpu);
  for (const Work& step : graph->steps) {
    all.fixed_ns += step.fixed_ns;
    if (std::ranges::count(step.path, arithmetic) > 0) {
      all.amount += step.amount;
    } else if (step.amount > 0) {
      double rate = step.rate_cap;
      for (const ResourceId id : step.path) {
        const double capacity = machine.resources().capacity(id);
        rate = rate > 0 ? std::min(rate, capacity) : capacity;
      }
      if (rate > 0) all.fixed_ns += step.amount / rate;
    }
  }
  if (all.amount > 0) all.path = {arithmetic};
  machine.set_load(all, graph->gpu, all.amount > 0 ? Load::arithmetic : Load::memory);
  const bool is_sound = std::ranges::none_of(machine.faults(), [&](const Fault& f) { return f.target == graph->gpu; });
  all.act = [&machine, graph, is_sound] {
    if (is_sound && graph->memory_when_done == machine.memory().changes(graph->gpu)) return;
    for (const Work& step : graph->steps) {
      if (step.act) step.act();
    }
    graph->memory_when_done = machine.memory().changes(graph->gpu);
  };
  return all;
}

}  // namespace

cudaError_t submit(Machine& machine, StreamId stream, Work work) {
  if (!recording().empty()) {
    if (const auto found = recording().find(stream); found != recording().end()) {
      found->second->steps.push_back(std::move(work));
      return cudaSuccess;
    }
  }
  Timeline& timeline = machine.timeline();
  if (timeline.queued(stream) >= kMostQueued) timeline.run();
  if (timeline.queued(stream) >= kMostQueued) {
    std::fprintf(stderr, "simulator: a stream holds %zu launches, and none can begin before the next is put into it\n",
                 timeline.queued(stream));
    return cudaErrorLaunchTimeout;
  }
  timeline.enqueue(stream, std::move(work));
  return cudaSuccess;
}

}  // namespace rackproof::simulator

using namespace rackproof::simulator;

// What a handle points to.
struct CUgraph_st {
  std::shared_ptr<Graph> graph;
};
struct CUgraphExec_st {
  std::shared_ptr<Graph> graph;
};

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode) {
  Machine* const machine = Machine::here();
  if (machine == nullptr) return cudaErrorNoDevice;
  const std::scoped_lock lock(machine->mutex);
  const int gpu = gpu_of_stream(stream);
  if (gpu < 0) return cudaErrorInvalidValue;
  recording()[stream_of(*machine, stream, gpu)] = std::make_shared<Graph>(Graph{gpu, {}, 0});
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  Machine* const machine = Machine::here();
  if (machine == nullptr) return cudaErrorNoDevice;
  const std::scoped_lock lock(machine->mutex);
  const auto found = recording().find(stream_of(*machine, stream, gpu_of_stream(stream)));
  if (found == recording().end()) return cudaErrorInvalidValue;
  *graph = new CUgraph_st{found->second};
  recording().erase(found);
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new CUgraphExec_st{graph->graph};
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  Machine* const machine = Machine::here();
  if (machine == nullptr) return cudaErrorNoDevice;
  const std::scoped_lock lock(machine->mutex);
  const int gpu = executable->graph->gpu;
  if (machine->is_lost(gpu)) return cudaErrorLaunchFailure;
  return submit(*machine, stream_of(*machine, stream, gpu), as_one(*machine, executable->graph));
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}

}  // extern "C"
