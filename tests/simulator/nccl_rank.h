// A rank of the simulated NCCL and those it belongs with, and how its part of a collective is put into a stream.
#pragma once

#include <nccl.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulator/cudart.h"
#include "tests/simulator/nccl_collectives.h"

namespace rackproof::simulator {

// The ranks that belong together.
struct Clique {
  std::vector<ncclComm*> members;  // by rank; nullptr: has not come yet
  std::vector<int> gpus;
  std::map<std::uint64_t, std::shared_ptr<CollectiveCall>> calls;  // that are not done
  bool is_whole = false;
  bool is_aborted = false;
  // Where ranks of other processes belong to it too.
  std::unique_ptr<Span> span;
  bool is_anyone_dead = false;
  std::string broken;    // why no more can be told to them
  double began_ns = -1;  // when all of ours had come to the first collective
  std::chrono::steady_clock::time_point felt;  // whether others live
  std::chrono::steady_clock::time_point looked;  // for others, which is not done more often than they can come
};

// Whether all ranks have come, those of other processes too, for which they are told of ours. Throws
// std::runtime_error.
bool has_come_together(Machine&, Clique&, const std::string& folder);
// Looked for now and then.
bool has_anyone_died(Clique&);

ncclResult_t fail(ncclComm*, ncclResult_t, const std::string& why);

// What one rank calls; `part` without its GPU.
ncclResult_t add(ncclComm*, CollectiveKind, int root, RankPart part, cudaStream_t);
// A send or a receive: waits for the end of the group, if one is open.
ncclResult_t add_message(ncclComm*, bool is_send, Message, cudaStream_t);

void begin_group();
ncclResult_t end_group();

}  // namespace rackproof::simulator

struct ncclComm {
  std::shared_ptr<rackproof::simulator::Clique> clique;
  std::string folder;  // that its unique id names
  int rank = 0;
  int gpu = -1;
  bool is_blocking = true;
  bool was_asked = false;  // a non-blocking one is in progress when it is asked first, as the real one is
  std::uint64_t calls = 0;
  std::uint64_t large_calls = 0;
  // Sends and receives of the group that is open.
  std::vector<rackproof::simulator::Message> sends;
  std::vector<rackproof::simulator::Message> receives;
  cudaStream_t stream = nullptr;
  std::string last_error;
};
