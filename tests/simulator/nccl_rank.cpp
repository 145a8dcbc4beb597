#include "tests/simulator/nccl_rank.h"

#include <algorithm>
#include <utility>

namespace rackproof::simulator {
namespace {

constexpr std::size_t kLarge = 1 << 20;
// The collective of that size which a hung rank does not come out of.
constexpr std::uint64_t kHangs = 10;
constexpr auto kBetweenLooks = std::chrono::microseconds(200);
constexpr auto kBetweenFeeling = std::chrono::milliseconds(20);

thread_local int depth = 0;
thread_local std::vector<ncclComm*> grouped;  // with sends or receives

// A rank that is slow comes late to whatever follows, and so to the next collective.
void hinder(Machine& machine, ncclComm& comm, double nominal_ns, StreamId stream) {
  const Fault* const slow = machine.fault(FaultKind::nccl_slow, comm.gpu);
  if (slow != nullptr) machine.timeline().delay_next(stream, nominal_ns * slow->amount / 100);
}

// A rank that hangs does not come out of one.
void hang(Machine& machine, ncclComm& comm, std::size_t bytes, StreamId stream) {
  if (machine.fault(FaultKind::nccl_hung, comm.gpu) == nullptr) return;
  if (bytes < kLarge || ++comm.large_calls != kHangs) return;
  Work forever;
  forever.may_begin = [clique = comm.clique] { return clique->is_aborted; };
  machine.set_load(forever, comm.gpu, Load::idle);
  machine.timeline().enqueue(stream, std::move(forever));
}

int ours_of(const Clique& clique) {
  return static_cast<int>(std::ranges::count_if(clique.gpus, [](int gpu) { return gpu >= 0; }));
}

void meet_others(Machine& machine, Clique& clique, CollectiveCall& call, double takes_ns) {
  call.span = clique.span.get();
  call.takes_ns = std::max(call.takes_ns, takes_ns);
  // The clique outlives its calls.
  call.meeting.others = [&machine, &clique, &call](double now_ns) {
    const auto now = std::chrono::steady_clock::now();
    if (call.is_brought && call.brought.empty() && now - clique.looked < kBetweenLooks) return false;
    clique.looked = now;
    if (clique.began_ns < 0) clique.began_ns = now_ns;
    try {
      return exchange_with_others(machine, call, now_ns - clique.began_ns, call.takes_ns);
    } catch (const std::exception& error) {
      clique.broken = error.what();
      return false;
    }
  };
}

ncclResult_t enqueue(Machine& machine, ncclComm& comm, CollectiveKind kind, int root, RankPart part,
                     cudaStream_t handle) {
  if (machine.is_lost(comm.gpu)) {
    return fail(&comm, ncclUnhandledCudaError, "Cuda failure 719 'unspecified launch failure'");
  }
  Clique& clique = *comm.clique;
  if (!clique.is_whole) return fail(&comm, ncclInvalidUsage, "the communicator is not ready");
  std::shared_ptr<CollectiveCall>& call = clique.calls[comm.calls];
  if (call == nullptr) {
    call = std::make_shared<CollectiveCall>();
    call->kind = kind;
    call->root = root;
    call->number = comm.calls;
    call->parts.resize(clique.members.size());
    call->meeting.expected = ours_of(clique);
  }
  ++comm.calls;
  if (call->kind != kind) return fail(&comm, ncclInvalidUsage, "ranks call different collectives");
  part.gpu = comm.gpu;
  const double nominal =
      nanoseconds_of(machine, kind, part, clique.gpus, clique.span == nullptr ? 1 : clique.span->processes());
  const StreamId stream = stream_of(machine, handle, comm.gpu);
  std::size_t bytes = std::max(part.sent_bytes, part.received_bytes);
  for (const Message& one : part.receives) bytes += one.bytes;
  call->parts[static_cast<std::size_t>(comm.rank)] = std::move(part);

  Work work;
  // The same for all ranks: they end together.
  work.fixed_ns = nominal * std::max(0.5, 1 + machine.profile().noise * machine.gaussian(7919, call->number));
  if (clique.span != nullptr) meet_others(machine, clique, *call, work.fixed_ns);
  work.meeting = std::shared_ptr<Meeting>(call, &call->meeting);
  machine.set_load(work, comm.gpu, Load::copy);
  work.act = [&machine, call, clique = comm.clique] {
    if (clique->is_aborted) return;
    compute(machine, *call);
    clique->calls.erase(call->number);
  };
  machine.timeline().enqueue(stream, std::move(work));
  hinder(machine, comm, nominal, stream);
  hang(machine, comm, bytes, stream);
  return ncclSuccess;
}

ncclResult_t enqueue_exchanges(Machine& machine) {
  ncclResult_t result = ncclSuccess;
  for (ncclComm* comm : grouped) {
    RankPart part;
    part.sends = std::move(comm->sends);
    part.receives = std::move(comm->receives);
    comm->sends.clear();
    comm->receives.clear();
    const ncclResult_t code = enqueue(machine, *comm, CollectiveKind::exchange, 0, std::move(part), comm->stream);
    if (code != ncclSuccess) result = code;
  }
  grouped.clear();
  return result;
}

}  // namespace

bool has_come_together(Machine& machine, Clique& clique, const std::string& folder) {
  if (clique.is_whole) return true;
  if (machine.fault(FaultKind::node_hung, -1) != nullptr) return false;
  if (clique.span == nullptr) {
    std::vector<int> ours;
    for (std::size_t rank = 0; rank < clique.gpus.size(); ++rank) {
      if (clique.gpus[rank] >= 0) ours.push_back(static_cast<int>(rank));
    }
    clique.span = std::make_unique<Span>(folder, static_cast<int>(clique.gpus.size()), ours);
  }
  const auto now = std::chrono::steady_clock::now();
  if (now - clique.looked < kBetweenLooks) return false;
  clique.looked = now;
  clique.is_whole = clique.span->is_whole();
  return clique.is_whole;
}

bool has_anyone_died(Clique& clique) {
  const auto now = std::chrono::steady_clock::now();
  if (clique.is_anyone_dead || now - clique.felt < kBetweenFeeling) return clique.is_anyone_dead;
  clique.felt = now;
  return clique.is_anyone_dead = clique.span->is_anyone_dead();
}

ncclResult_t fail(ncclComm* comm, ncclResult_t code, const std::string& why) {
  if (comm != nullptr) comm->last_error = why;
  return code;
}

ncclResult_t add(ncclComm* comm, CollectiveKind kind, int root, RankPart part, cudaStream_t stream) {
  Machine* const machine = Machine::here();
  if (machine == nullptr || comm == nullptr) return ncclInvalidArgument;
  const std::scoped_lock lock(machine->mutex);
  return enqueue(*machine, *comm, kind, root, std::move(part), stream);
}

ncclResult_t add_message(ncclComm* comm, bool is_send, Message message, cudaStream_t stream) {
  Machine* const machine = Machine::here();
  if (machine == nullptr || comm == nullptr) return ncclInvalidArgument;
  const std::scoped_lock lock(machine->mutex);
  if (message.peer < 0 || message.peer >= static_cast<int>(comm->clique->members.size())) {
    return fail(comm, ncclInvalidArgument, "there is no rank " + std::to_string(message.peer));
  }
  (is_send ? comm->sends : comm->receives).push_back(message);
  comm->stream = stream;
  if (std::ranges::find(grouped, comm) == grouped.end()) grouped.push_back(comm);
  return depth > 0 ? ncclSuccess : enqueue_exchanges(*machine);
}

void begin_group() { ++depth; }

ncclResult_t end_group() {
  if (depth == 0) return ncclInvalidUsage;
  Machine* const machine = Machine::here();
  if (--depth > 0 || machine == nullptr) return ncclSuccess;
  const std::scoped_lock lock(machine->mutex);
  return enqueue_exchanges(*machine);
}

}  // namespace rackproof::simulator
