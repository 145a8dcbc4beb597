#include "tests/simulator/nccl_collectives.h"

#include <algorithm>
#include <cstring>
#include <list>
#include <optional>
#include <string_view>
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

// What goes in, in the order of the ranks: of each of them, or, where there are several processes, of each process what
// its ranks bring together.
struct Inputs {
  std::vector<std::string_view> bytes;
  std::string_view root;
  std::vector<Mapped> files;  // in which they lie
};

std::string_view sent_by(const RankPart& part) { return {static_cast<const char*>(part.sent), part.sent_bytes}; }

Inputs own_inputs(const CollectiveCall& call) {
  Inputs inputs;
  for (const RankPart& part : call.parts) {
    if (part.gpu >= 0) inputs.bytes.push_back(sent_by(part));
  }
  inputs.root = sent_by(call.parts[static_cast<std::size_t>(call.root)]);
  return inputs;
}

Inputs inputs_of(const CollectiveCall& call) {
  if (call.span == nullptr) return own_inputs(call);
  Inputs inputs;
  for (std::size_t i = 0; i < call.brought.size(); ++i) {
    inputs.files.push_back(call.span->bytes_of(i, call.brought[i]));
    inputs.bytes.push_back(inputs.files.back().text());
  }
  inputs.root = inputs.bytes[call.span->process_of(call.root)];
  return inputs;
}

// Sum of the floats of all inputs, from `first` bytes on.
std::vector<char> sum_of(const Inputs& inputs, std::size_t first, std::size_t bytes) {
  std::vector<char> result(bytes);
  auto* const to = reinterpret_cast<float*>(result.data());
  const std::size_t floats = bytes / sizeof(float);
  for (const std::string_view input : inputs.bytes) {
    const auto* const from = reinterpret_cast<const float*>(input.data() + first);
    for (std::size_t i = 0; i < floats; ++i) to[i] += from[i];
  }
  return result;
}

std::vector<char> joined(const Inputs& inputs) {
  std::vector<char> result;
  for (const std::string_view input : inputs.bytes) result.insert(result.end(), input.begin(), input.end());
  return result;
}

std::vector<char> result_of(const CollectiveCall& call, const Write& write) {
  const Inputs inputs = inputs_of(call);
  switch (call.kind) {
    case CollectiveKind::all_reduce:
      return sum_of(inputs, 0, write.bytes);
    case CollectiveKind::reduce_scatter:
      return sum_of(inputs, static_cast<std::size_t>(write.rank) * write.bytes, write.bytes);
    case CollectiveKind::all_gather:
      return joined(inputs);
    case CollectiveKind::broadcast:
      return {inputs.root.begin(), inputs.root.begin() + static_cast<std::ptrdiff_t>(write.bytes)};
    case CollectiveKind::exchange:
      break;
  }
  return {};
}

ContentId key_of(CollectiveKind kind) { return derived_content(0x6e63636c, static_cast<std::uint64_t>(kind)); }

ContentId content_of(Machine& machine, const CollectiveCall& call, int rank) {
  ContentId key = key_of(call.kind);
  if (call.kind == CollectiveKind::reduce_scatter) key = derived_content(key, static_cast<std::uint64_t>(rank));
  for (std::size_t i = 0; i < call.brought.size(); ++i) {
    if (call.kind == CollectiveKind::broadcast && i != call.span->process_of(call.root)) continue;
    key = derived_content(key, call.brought[i].content);
  }
  if (call.span != nullptr) return key;
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
    if (part.gpu < 0) continue;
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

struct Sent {
  const void* at = nullptr;
  std::size_t bytes = 0;
  ContentId content = 0;
};

// The message that a rank gets from a peer: as the two of them count what goes between them.
std::optional<Sent> sent_to(Machine& machine, const CollectiveCall& call, const std::vector<Mapped>& files, int peer,
                            int rank, std::size_t which) {
  const RankPart& part = call.parts[static_cast<std::size_t>(peer)];
  for (const Message& one : part.sends) {
    if (one.peer == rank && which-- == 0) return Sent{one.at, one.bytes, machine.memory().content(one.at, one.bytes)};
  }
  if (call.span == nullptr || part.gpu >= 0) return std::nullopt;
  const std::size_t process = call.span->process_of(peer);
  std::size_t at = 0;
  for (const SpanMessage& one : call.brought[process].messages) {
    if (one.from == peer && one.to == rank && one.which == which) {
      return Sent{files[process].text().data() + at, one.bytes, derived_content(call.brought[process].content, at)};
    }
    at += one.bytes;
  }
  return std::nullopt;
}

void exchange(Machine& machine, CollectiveCall& call) {
  Memory& memory = machine.memory();
  std::vector<Mapped> files;
  for (std::size_t i = 0; i < call.brought.size(); ++i) files.push_back(call.span->bytes_of(i, call.brought[i]));
  for (int rank = 0; rank < static_cast<int>(call.parts.size()); ++rank) {
    RankPart& part = call.parts[static_cast<std::size_t>(rank)];
    // What is received in one stretch is one content, however many messages it came in.
    ContentId key = derived_content(0x6e63636c, 99);
    bool is_one_stretch = !part.receives.empty();
    std::vector<Sent> from;
    for (std::size_t i = 0; i < part.receives.size(); ++i) {
      const Message& to = part.receives[i];
      const auto before = std::count_if(part.receives.begin(), part.receives.begin() + static_cast<std::ptrdiff_t>(i),
                                        [&](const Message& other) { return other.peer == to.peer; });
      const auto one = sent_to(machine, call, files, to.peer, rank, static_cast<std::size_t>(before));
      if (!one) return;
      from.push_back(*one);
      key = derived_content(key, one->content);
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
      std::memmove(part.receives[i].at, from[i].at, std::min(from[i].bytes, part.receives[i].bytes));
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

}  // namespace rackproof::simulator
