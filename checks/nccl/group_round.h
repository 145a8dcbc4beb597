// One round over a group of nodes: one communicator, every size, and what its first member reports of the group.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/ranks.h"
#include "checks/nccl/communicators.h"
#include "checks/nccl/dump_folder.h"
#include "checks/nccl/roll_call.h"

namespace rackproof {

// Over all rounds: errors are added up, of times the worst stands.
struct GpuFigures {
  bool is_verified = false;
  double errors = 0;
  bool is_timed = false;
  double lateness_us = 0;
  double time_us = 0;
};

// What stays the same from round to round.
struct GroupNode {
  explicit GroupNode(Context& context_) : context(context_) {}
  void find_gpus();  // throws as visible_gpus does

  Context& context;
  RollCall calls;
  DumpFolder folder;  // from before NCCL's first call
  std::vector<Gpu> gpus;
  std::vector<GpuFigures> figures;  // by GPU
  bool is_described = false;        // its parts, as NCCL sees them
  std::optional<Trouble> trouble;   // the first of its own
  bool is_lost = false;             // one of its GPUs: nothing can be measured any more
};

struct GroupPlan {
  std::size_t number = 0;  // of the round
  Group group;
  int own = 0;          // rank, as the runner counts
  bool is_led = false;  // by this rank
  std::string place;    // where its first member hears
  World world;
  std::vector<int> first_ranks;      // of NCCL, by member
  std::vector<std::string> missing;  // "rp03 never put its card": then nothing is tried
  std::chrono::milliseconds to_start{};
};

// Whatever goes wrong costs this group alone: the first member measures `reached` 0, and all of them note why.
void measure_round(GroupNode&, const GroupPlan&);

}  // namespace rackproof
