// The stand-in libnccl: collectives over simulated GPUs, which begin when every rank has come and really compute.
#include <nccl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulator/cudart.h"
#include "tests/simulator/nccl_collectives.h"
#include "tests/simulator/nccl_xml.h"

namespace rackproof::simulator {
namespace {

// The ranks that belong together.
struct Clique {
  std::vector<ncclComm*> members;  // by rank; nullptr: has not come yet
  std::vector<int> gpus;
  std::map<std::uint64_t, std::shared_ptr<CollectiveCall>> calls;  // that are not done
  bool is_whole = false;
  bool is_aborted = false;
};

}  // namespace
}  // namespace rackproof::simulator

struct ncclComm {
  std::shared_ptr<rackproof::simulator::Clique> clique;
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

namespace rackproof::simulator {
namespace {

constexpr unsigned int kMagic = 0xcafebeef;
constexpr std::size_t kLarge = 1 << 20;
// The collective of that size which a hung rank does not come out of.
constexpr std::uint64_t kHangs = 10;

thread_local int depth = 0;
thread_local std::vector<ncclComm*> grouped;  // with sends or receives
std::map<std::string, std::shared_ptr<Clique>>& cliques() {
  static std::map<std::string, std::shared_ptr<Clique>> all;
  return all;
}

ncclResult_t fail(ncclComm* comm, ncclResult_t code, const std::string& why) {
  if (comm != nullptr) comm->last_error = why;
  return code;
}

std::size_t size_of(ncclDataType_t type) {
  switch (type) {
    case ncclInt32:
    case ncclUint32:
    case ncclFloat32: return 4;
    case ncclInt64:
    case ncclUint64:
    case ncclFloat64: return 8;
    case ncclFloat16:
    case ncclBfloat16: return 2;
    default: return 1;
  }
}

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

ncclResult_t enqueue(Machine& machine, ncclComm& comm, CollectiveKind kind, int root, RankPart part, cudaStream_t handle) {
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
    call->meeting.expected = static_cast<int>(clique.members.size());
  }
  ++comm.calls;
  if (call->kind != kind) return fail(&comm, ncclInvalidUsage, "ranks call different collectives");
  part.gpu = comm.gpu;
  const double nominal = nanoseconds_of(machine, kind, part, clique.gpus);
  const StreamId stream = stream_of(machine, handle, comm.gpu);
  std::size_t bytes = std::max(part.sent_bytes, part.received_bytes);
  for (const Message& one : part.receives) bytes += one.bytes;
  call->parts[static_cast<std::size_t>(comm.rank)] = std::move(part);

  Work work;
  // The same for all ranks: they end together.
  work.fixed_ns = nominal * std::max(0.5, 1 + machine.profile().noise * machine.gaussian(7919, call->number));
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

ncclResult_t add(ncclComm* comm, CollectiveKind kind, int root, const void* sent, std::size_t sent_bytes, void* received,
                 std::size_t received_bytes, cudaStream_t stream) {
  Machine* const machine = Machine::here();
  if (machine == nullptr || comm == nullptr) return ncclInvalidArgument;
  const std::scoped_lock lock(machine->mutex);
  RankPart part;
  part.sent = sent;
  part.sent_bytes = sent_bytes;
  part.received = received;
  part.received_bytes = received_bytes;
  return enqueue(*machine, *comm, kind, root, std::move(part), stream);
}

bool adds_up(ncclDataType_t type, ncclRedOp_t operation) { return type == ncclFloat32 && operation == ncclSum; }

void write_file(const char* variable, const std::string& text) {
  const char* const name = std::getenv(variable);
  if (name == nullptr) return;
  if (std::FILE* const file = std::fopen(name, "w")) {
    std::fputs(text.c_str(), file);
    std::fclose(file);
  }
}

}  // namespace
}  // namespace rackproof::simulator

using namespace rackproof::simulator;

extern "C" {

ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  Machine* const machine = Machine::here();
  if (machine == nullptr) return ncclSuccess;
  int major = 0;
  int minor = 0;
  int patch = 0;
  if (std::sscanf(machine->profile().nccl.version.c_str(), "%d.%d.%d", &major, &minor, &patch) == 3) {
    *version = major * 10000 + minor * 100 + patch;
  }
  return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  static int count = 0;
  std::memset(id->internal, 0, sizeof id->internal);
  std::snprintf(id->internal, sizeof id->internal, "simulated %d", ++count);
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t* config) {
  Machine* const machine = Machine::here();
  if (machine == nullptr) return ncclUnhandledCudaError;
  const std::scoped_lock lock(machine->mutex);
  if (rank < 0 || rank >= ranks || (config != nullptr && config->magic != kMagic)) return ncclInvalidArgument;
  const int gpu = current_gpu();
  if (gpu < 0 || machine->is_lost(gpu)) return ncclUnhandledCudaError;
  std::shared_ptr<Clique>& clique = cliques()[std::string(id.internal, strnlen(id.internal, sizeof id.internal))];
  if (clique == nullptr) {
    clique = std::make_shared<Clique>();
    clique->members.resize(static_cast<std::size_t>(ranks));
    clique->gpus.resize(static_cast<std::size_t>(ranks), -1);
  }
  const auto at = static_cast<std::size_t>(rank);
  if (clique->members.size() != static_cast<std::size_t>(ranks) || clique->members[at] != nullptr) return ncclInvalidUsage;
  auto* const made = new ncclComm;
  made->clique = clique;
  made->rank = rank;
  made->gpu = gpu;
  made->is_blocking = config == nullptr || config->blocking != 0;
  clique->members[at] = made;
  clique->gpus[at] = gpu;
  *comm = made;
  if (std::ranges::count(clique->members, nullptr) == 0) {
    clique->is_whole = true;
    write_file("NCCL_TOPO_DUMP_FILE", topology_xml(*machine, clique->gpus));
    write_file("NCCL_GRAPH_DUMP_FILE", graphs_xml(*machine, clique->gpus));
  }
  return made->is_blocking ? ncclSuccess : ncclInProgress;
}

ncclResult_t ncclCommFinalize(ncclComm_t comm) { return comm == nullptr ? ncclInvalidArgument : ncclSuccess; }

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  Machine* const machine = Machine::here();
  if (machine == nullptr || comm == nullptr) return ncclInvalidArgument;
  const std::scoped_lock lock(machine->mutex);
  machine->timeline().run();
  comm->clique->members[static_cast<std::size_t>(comm->rank)] = nullptr;
  delete comm;
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  Machine* const machine = Machine::here();
  if (machine == nullptr || comm == nullptr) return ncclInvalidArgument;
  const std::scoped_lock lock(machine->mutex);
  comm->clique->is_aborted = true;
  for (const auto& [number, call] : comm->clique->calls) call->meeting.expected = 0;
  return ncclCommDestroy(comm);
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* state) {
  Machine* const machine = Machine::here();
  if (machine == nullptr || comm == nullptr) return ncclInvalidArgument;
  const std::scoped_lock lock(machine->mutex);
  *state = ncclSuccess;
  if (machine->is_lost(comm->gpu)) {
    *state = fail(comm, ncclUnhandledCudaError, "Cuda failure 719 'unspecified launch failure'");
  } else if (!comm->clique->is_whole || (!comm->is_blocking && !std::exchange(comm->was_asked, true))) {
    *state = ncclInProgress;
  }
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t code) {
  switch (code) {
    case ncclSuccess: return "no error";
    case ncclUnhandledCudaError: return "unhandled cuda error";
    case ncclSystemError: return "unhandled system error";
    case ncclInternalError: return "internal error";
    case ncclInvalidArgument: return "invalid argument";
    case ncclInvalidUsage: return "invalid usage";
    case ncclRemoteError: return "remote process exited or there was a network error";
    case ncclInProgress: return "NCCL operation in progress";
    default: return "unknown result code";
  }
}

const char* ncclGetLastError(ncclComm_t comm) { return comm == nullptr ? "" : comm->last_error.c_str(); }

ncclResult_t ncclGroupStart() {
  ++depth;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  if (depth == 0) return ncclInvalidUsage;
  Machine* const machine = Machine::here();
  if (--depth > 0 || machine == nullptr) return ncclSuccess;
  const std::scoped_lock lock(machine->mutex);
  return enqueue_exchanges(*machine);
}

ncclResult_t ncclAllReduce(const void* sent, void* received, size_t count, ncclDataType_t type, ncclRedOp_t operation,
                           ncclComm_t comm, cudaStream_t stream) {
  if (!adds_up(type, operation)) return fail(comm, ncclInvalidArgument, "simulated: float32 sums alone");
  return add(comm, CollectiveKind::all_reduce, 0, sent, count * size_of(type), received, count * size_of(type), stream);
}

ncclResult_t ncclAllGather(const void* sent, void* received, size_t count, ncclDataType_t type, ncclComm_t comm,
                           cudaStream_t stream) {
  if (comm == nullptr) return ncclInvalidArgument;
  const std::size_t bytes = count * size_of(type);
  return add(comm, CollectiveKind::all_gather, 0, sent, bytes, received, bytes * comm->clique->members.size(), stream);
}

ncclResult_t ncclReduceScatter(const void* sent, void* received, size_t count, ncclDataType_t type, ncclRedOp_t operation,
                               ncclComm_t comm, cudaStream_t stream) {
  if (comm == nullptr || !adds_up(type, operation)) return fail(comm, ncclInvalidArgument, "simulated: float32 sums alone");
  const std::size_t bytes = count * size_of(type);
  return add(comm, CollectiveKind::reduce_scatter, 0, sent, bytes * comm->clique->members.size(), received, bytes, stream);
}

ncclResult_t ncclBroadcast(const void* sent, void* received, size_t count, ncclDataType_t type, int root, ncclComm_t comm,
                           cudaStream_t stream) {
  return add(comm, CollectiveKind::broadcast, root, sent, count * size_of(type), received, count * size_of(type), stream);
}

ncclResult_t ncclSend(const void* sent, size_t count, ncclDataType_t type, int peer, ncclComm_t comm, cudaStream_t stream) {
  return add_message(comm, true, {peer, const_cast<void*>(sent), count * size_of(type)}, stream);
}

ncclResult_t ncclRecv(void* received, size_t count, ncclDataType_t type, int peer, ncclComm_t comm, cudaStream_t stream) {
  return add_message(comm, false, {peer, received, count * size_of(type)}, stream);
}

}  // extern "C"
