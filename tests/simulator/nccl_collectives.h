// A collective on simulated GPUs: what each rank brings and gets, how long it takes, and its real result.
#pragma once

#include <memory>
#include <vector>

#include "tests/simulator/machine.h"
#include "tests/simulator/nccl_span.h"

namespace rackproof::simulator {

enum class CollectiveKind { all_reduce, all_gather, reduce_scatter, broadcast, exchange };

// One message of an exchange (sends and receives in one group).
struct Message {
  int peer = 0;
  void* at = nullptr;
  std::size_t bytes = 0;
};

struct RankPart {
  int gpu = -1;  // -1: of another process
  const void* sent = nullptr;
  void* received = nullptr;
  std::size_t sent_bytes = 0;
  std::size_t received_bytes = 0;
  std::vector<Message> sends;
  std::vector<Message> receives;
};

// Shared by its ranks' work: begins when all have come. The result is computed once, by whoever ends first, when every
// input is there and none has been written over.
struct CollectiveCall {
  CollectiveKind kind{};
  int root = 0;
  std::uint64_t number = 0;
  std::vector<RankPart> parts;
  Meeting meeting;
  bool is_done = false;
  Span* span = nullptr;  // with ranks of other processes
  bool is_brought = false;
  double takes_ns = 0;  // the longest of our ranks
  std::vector<Brought> brought;  // by every process, once all have
};

// float32 alone is added up.
void compute(Machine&, CollectiveCall&);

// For a call with ranks of other processes, when all of ours have come: gives the others what ours bring, and looks for
// theirs. True once everybody's is there; the meeting then knows how much longer it takes. `now_ns` counts from when this
// process came to the first collective, `takes_ns` is what ours alone would take.
bool exchange_with_others(Machine&, CollectiveCall&, double now_ns, double takes_ns);

// How long a rank's part takes once all have come, without noise: from the latency, and the bytes over the rate of the
// slowest rank; between nodes, over the rate of their adapters. `gpus`: by rank; -1: on another of `nodes`.
double nanoseconds_of(const Machine&, CollectiveKind, const RankPart&, const std::vector<int>& gpus, std::size_t nodes);

}  // namespace rackproof::simulator
