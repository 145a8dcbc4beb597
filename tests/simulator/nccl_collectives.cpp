#include "tests/simulator/nccl_collectives.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <list>
#include <utility>

namespace rackproof::simulator {
namespace {

using Bytes = std::shared_ptr<const std::vector<char>>;

// Results of late, so that a loop over the same few inputs computes each of them once.
class Results {
 public:
  Bytes find(ContentId id) {
    const auto found = std::ranges::find(kept_, id, &std::pair<ContentId, Bytes>::first);
    if (found == kept_.end()) return nullptr;
    kept_.splice(kept_.begin(), kept_, found);
    return kept_.front().second;
  }
  void keep(ContentId id, Bytes bytes) {
    held_ += bytes->size();
    kept_.emplace_front(id, std::move(bytes));
    while (held_ > kMost && kept_.size() > 1) {
      held_ -= kept_.back().second->size();
      kept_.pop_back();
    }
  }

 private:
  static constexpr std::size_t kMost = 160 << 20;
  std::list<std::pair<ContentId, Bytes>> kept_;
  std::size_t held_ = 0;
};

struct Write {
  int rank = 0;
  ContentId content = 0;
  std::size_t bytes = 0;
};

// Sum of the floats of all ranks' inputs, from `first` bytes on.
std::vector<char> sum_of(const CollectiveCall& call, std::size_t first, std::size_t bytes) {
  std::vector<char> result(bytes);
  auto* const to = reinterpret_cast<float*>(result.data());
  const std::size_t floats = bytes / sizeof(float);
  for (const RankPart& part : call.parts) {
    const auto* const from = reinterpret_cast<const float*>(static_cast<const char*>(part.sent) + first);
    for (std::size_t i = 0; i < floats; ++i) to[i] += from[i];
  }
  return result;
}

std::vector<char> joined(const CollectiveCall& call) {
  std::vector<char> result;
  for (const RankPart& part : call.parts) {
    const char* const from = static_cast<const char*>(part.sent);
    result.insert(result.end(), from, from + part.sent_bytes);
  }
  return result;
}

std::vector<char> result_of(const CollectiveCall& call, const Write& write) {
  const RankPart& root = call.parts[static_cast<std::size_t>(call.root)];
  switch (call.kind) {
    case CollectiveKind::all_reduce:
      return sum_of(call, 0, write.bytes);
    case CollectiveKind::reduce_scatter:
      return sum_of(call, static_cast<std::size_t>(write.rank) * write.bytes, write.bytes);
    case CollectiveKind::all_gather:
      return joined(call);
    case CollectiveKind::broadcast: {
      const char* const from = static_cast<const char*>(root.sent);
      return {from, from + write.bytes};
    }
    case CollectiveKind::exchange:
      break;
  }
  return {};
}

ContentId content_of(Machine& machine, const CollectiveCall& call, int rank) {
  ContentId key = derived_content(0x6e63636c, static_cast<std::uint64_t>(call.kind));
  if (call.kind == CollectiveKind::reduce_scatter) key = derived_content(key, static_cast<std::uint64_t>(rank));
  for (std::size_t i = 0; i < call.parts.size(); ++i) {
    if (call.kind == CollectiveKind::broadcast && static_cast<int>(i) != call.root) continue;
    key = derived_content(key, machine.memory().content(call.parts[i].sent, call.parts[i].sent_bytes));
  }
  return key;
}

// Every few collectives a bit of what it holds then is wrong.
void spoil(Machine& machine, const CollectiveCall& call) {
  constexpr std::uint64_t kEvery = 5;
  for (const RankPart& part : call.parts) {
    if (call.number % kEvery != kEvery - 1 || machine.fault(FaultKind::flip_collective, part.gpu) == nullptr) continue;
    if (part.received != nullptr) machine.flip_bit(part.received, part.received_bytes, call.number);
  }
}

void write_results(Machine& machine, CollectiveCall& call) {
  static Results results;
  Memory& memory = machine.memory();
  std::vector<std::pair<Write, Bytes>> writes;
  // All are known before the first is written: an input may be an output.
  for (int rank = 0; rank < static_cast<int>(call.parts.size()); ++rank) {
    const RankPart& part = call.parts[static_cast<std::size_t>(rank)];
    const Write write{rank, content_of(machine, call, rank), part.received_bytes};
    if (memory.content(part.received, part.received_bytes) == write.content) continue;
    Bytes bytes = results.find(write.content);
    if (bytes == nullptr) {
      bytes = std::make_shared<const std::vector<char>>(result_of(call, write));
      results.keep(write.content, bytes);
    }
    writes.emplace_back(write, bytes);
  }
  for (const auto& [write, bytes] : writes) {
    const RankPart& part = call.parts[static_cast<std::size_t>(write.rank)];
    std::memcpy(part.received, bytes->data(), std::min(bytes->size(), part.received_bytes));
    memory.written(part.received, part.received_bytes, write.content);
    machine.after_write(part.gpu, part.received, part.received_bytes);
  }
}

// The message that a rank gets from a peer: as the two of them count what goes between them.
const Message* sent_to(const CollectiveCall& call, int peer, int rank, std::size_t which) {
  for (const Message& one : call.parts[static_cast<std::size_t>(peer)].sends) {
    if (one.peer == rank && which-- == 0) return &one;
  }
  return nullptr;
}

void exchange(Machine& machine, CollectiveCall& call) {
  Memory& memory = machine.memory();
  for (int rank = 0; rank < static_cast<int>(call.parts.size()); ++rank) {
    RankPart& part = call.parts[static_cast<std::size_t>(rank)];
    // What is received in one stretch is one content, however many messages it came in.
    ContentId key = derived_content(0x6e63636c, 99);
    bool is_one_stretch = !part.receives.empty();
    std::vector<const Message*> from;
    for (std::size_t i = 0; i < part.receives.size(); ++i) {
      const Message& to = part.receives[i];
      const auto before = std::count_if(part.receives.begin(), part.receives.begin() + static_cast<std::ptrdiff_t>(i),
                                        [&](const Message& other) { return other.peer == to.peer; });
      from.push_back(sent_to(call, to.peer, rank, static_cast<std::size_t>(before)));
      if (from.back() == nullptr) return;
      key = derived_content(key, memory.content(from.back()->at, from.back()->bytes));
      if (i > 0) {
        const Message& last = part.receives[i - 1];
        is_one_stretch = is_one_stretch && static_cast<char*>(last.at) + last.bytes == to.at;
      }
    }
    if (part.receives.empty()) continue;
    part.received = part.receives.front().at;
    part.received_bytes = 0;
    for (const Message& to : part.receives) part.received_bytes += to.bytes;
    if (is_one_stretch && memory.content(part.received, part.received_bytes) == key) continue;
    for (std::size_t i = 0; i < from.size(); ++i) {
      std::memmove(part.receives[i].at, from[i]->at, std::min(from[i]->bytes, part.receives[i].bytes));
      memory.written(part.receives[i].at, part.receives[i].bytes);
      machine.after_write(part.gpu, part.receives[i].at, part.receives[i].bytes);
    }
    if (is_one_stretch) {
      memory.written(part.received, part.received_bytes, key);
    } else {
      part.received_bytes = part.receives.front().bytes;
    }
  }
}

}  // namespace

void compute(Machine& machine, CollectiveCall& call) {
  if (std::exchange(call.is_done, true)) return;
  if (call.kind == CollectiveKind::exchange) {
    exchange(machine, call);
  } else {
    write_results(machine, call);
  }
  spoil(machine, call);
}

double nanoseconds_of(const Machine& machine, CollectiveKind kind, const RankPart& part, const std::vector<int>& gpus) {
  const Profile& profile = machine.profile();
  const auto n = static_cast<double>(gpus.size());
  double share = 1;
  for (const int gpu : gpus) {
    if (profile.kind.nvlinks > 0) {
      share = std::min(share, machine.nvlink_share(gpu));
      continue;
    }
    if (const Fault* f = machine.fault(FaultKind::link_width, gpu))
      share = std::min(share, f->amount / profile.slot.width);
    if (const Fault* f = machine.fault(FaultKind::link_speed, gpu))
      share = std::min(share, f->amount / profile.slot.speed_gts);
  }
  const double rate = kind == CollectiveKind::all_reduce ? profile.nccl.allreduce_gbs : profile.nccl.alltoall_gbs;
  double bytes = 0;  // on the busiest link
  switch (kind) {
    case CollectiveKind::all_reduce:
      bytes = static_cast<double>(part.sent_bytes) * 2 * (n - 1) / n;
      break;
    case CollectiveKind::all_gather:
      bytes = static_cast<double>(part.received_bytes) * (n - 1) / n;
      break;
    case CollectiveKind::reduce_scatter:
      bytes = static_cast<double>(part.sent_bytes) * (n - 1) / n;
      break;
    case CollectiveKind::broadcast:
      bytes = static_cast<double>(part.received_bytes);
      break;
    case CollectiveKind::exchange:
      for (const Message& one : part.sends) {
        if (gpus[static_cast<std::size_t>(one.peer)] != part.gpu) bytes += static_cast<double>(one.bytes);
      }
  }
  // What starts a collective overlaps with its transfer, so the two do not simply add up.
  return std::hypot(profile.nccl.latency_us * 1e3, bytes / (rate * std::max(share, 1e-3)));
}

}  // namespace rackproof::simulator
