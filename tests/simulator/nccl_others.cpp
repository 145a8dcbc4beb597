// What the ranks of this process bring to a collective whose other ranks are in other processes, and when it then begins.
#include <algorithm>

#include "tests/simulator/nccl_collectives.h"

namespace rackproof::simulator {
namespace {

// Each message to a rank of another process, with who sends it.
template <class Each>
void each_message_out(const CollectiveCall& call, Each each) {
  for (int rank = 0; rank < static_cast<int>(call.parts.size()); ++rank) {
    std::vector<std::uint64_t> counts(call.parts.size(), 0);
    for (const Message& one : call.parts[static_cast<std::size_t>(rank)].sends) {
      const auto peer = static_cast<std::size_t>(one.peer);
      const std::uint64_t which = counts[peer]++;
      if (call.parts[peer].gpu < 0) each(rank, which, one);
    }
  }
}

std::vector<const RankPart*> givers(const CollectiveCall& call) {
  std::vector<const RankPart*> found;
  for (std::size_t rank = 0; rank < call.parts.size(); ++rank) {
    const bool gives = call.kind != CollectiveKind::broadcast || static_cast<int>(rank) == call.root;
    if (gives && call.parts[rank].gpu >= 0) found.push_back(&call.parts[rank]);
  }
  return found;
}

// Numbers of contents mean something within a process only; the salt makes them this one's.
Brought describe(Machine& machine, const CollectiveCall& call) {
  Brought own{.came_ns = 0,
              .takes_ns = 0,
              .kind = static_cast<std::int64_t>(call.kind),
              .root = call.root,
              .content = derived_content(call.span->salt(), static_cast<std::uint64_t>(call.kind)),
              .bytes = 0,
              .messages = {}};
  const auto add = [&](const void* at, std::size_t bytes) {
    own.content = derived_content(own.content, machine.memory().content(at, bytes));
  };
  if (call.kind == CollectiveKind::exchange) {
    each_message_out(call, [&](int rank, std::uint64_t which, const Message& one) {
      add(one.at, one.bytes);
      own.messages.push_back({rank, one.peer, which, one.bytes});
      own.bytes += one.bytes;
    });
    return own;
  }
  const bool is_sum = call.kind == CollectiveKind::all_reduce || call.kind == CollectiveKind::reduce_scatter;
  for (const RankPart* part : givers(call)) {
    add(part->sent, part->sent_bytes);
    own.bytes = is_sum ? part->sent_bytes : own.bytes + part->sent_bytes;
  }
  return own;
}

std::vector<char> bytes_of(const CollectiveCall& call, std::size_t bytes) {
  std::vector<char> result;
  result.reserve(bytes);
  const auto append = [&](const void* at, std::size_t length) {
    result.insert(result.end(), static_cast<const char*>(at), static_cast<const char*>(at) + length);
  };
  each_message_out(call, [&](int, std::uint64_t, const Message& one) { append(one.at, one.bytes); });
  const bool is_sum = call.kind == CollectiveKind::all_reduce || call.kind == CollectiveKind::reduce_scatter;
  for (const RankPart* part : givers(call)) {
    if (call.kind == CollectiveKind::exchange) break;
    if (!is_sum || result.empty()) {
      append(part->sent, part->sent_bytes);
      continue;
    }
    auto* const to = reinterpret_cast<float*>(result.data());
    const auto* const from = static_cast<const float*>(part->sent);
    for (std::size_t i = 0; i < part->sent_bytes / sizeof(float); ++i) to[i] += from[i];
  }
  return result;
}

}  // namespace

bool exchange_with_others(Machine& machine, CollectiveCall& call, double now_ns, double takes_ns) {
  if (!call.brought.empty()) return true;
  if (!call.is_brought) {
    call.is_brought = true;
    Brought own = describe(machine, call);
    own.came_ns = now_ns;
    own.takes_ns = takes_ns;
    call.span->put(call.number, own, [&] { return bytes_of(call, own.bytes); });
  }
  call.brought = call.span->all_of(call.number);
  if (call.brought.empty()) return false;
  // It begins when the last has come, and is as slow as the slowest node: all end together.
  double begins = 0;
  double takes = 0;
  for (const Brought& one : call.brought) {
    begins = std::max(begins, one.came_ns);
    takes = std::max(takes, one.takes_ns);
  }
  call.meeting.longer_ns = begins - now_ns + takes - takes_ns;
  return true;
}

}  // namespace rackproof::simulator
