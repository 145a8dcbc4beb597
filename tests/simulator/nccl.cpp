// The stand-in libnccl: collectives over simulated GPUs, which begin when every rank has come and really compute.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <random>
#include <utility>

#include "tests/simulator/nccl_rank.h"
#include "tests/simulator/nccl_xml.h"

namespace rackproof::simulator {
namespace {

constexpr unsigned int kMagic = 0xcafebeef;

std::map<std::string, std::shared_ptr<Clique>>& cliques() {
  static std::map<std::string, std::shared_ptr<Clique>> all;
  return all;
}

std::size_t size_of(ncclDataType_t type) {
  switch (type) {
    case ncclInt32:
    case ncclUint32:
    case ncclFloat32:
      return 4;
    case ncclInt64:
    case ncclUint64:
    case ncclFloat64:
      return 8;
    case ncclFloat16:
    case ncclBfloat16:
      return 2;
    default:
      return 1;
  }
}

RankPart part_of(const void* sent, std::size_t sent_bytes, void* received, std::size_t received_bytes) {
  RankPart part;
  part.sent = sent;
  part.sent_bytes = sent_bytes;
  part.received = received;
  part.received_bytes = received_bytes;
  return part;
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

void abort(Clique& clique) {
  clique.is_aborted = true;
  for (const auto& [number, call] : clique.calls) {
    call->meeting.expected = 0;
    call->meeting.others = nullptr;
  }
}

void write_files(const Machine& machine, const Clique& clique) {
  write_file("NCCL_TOPO_DUMP_FILE", topology_xml(machine, clique.gpus));
  write_file("NCCL_GRAPH_DUMP_FILE", graphs_xml(machine, clique.gpus));
}

// Of ranks in other processes: whether they have come, and whether one of them has died since.
ncclResult_t state_of_others(Machine& machine, ncclComm& comm) {
  Clique& clique = *comm.clique;
  try {
    const bool was_whole = clique.is_whole;
    if (!has_come_together(machine, clique, comm.folder)) return ncclInProgress;
    if (!was_whole && clique.gpus.front() >= 0) write_files(machine, clique);
    if (clique.span != nullptr && was_whole && clique.broken.empty() && has_anyone_died(clique)) {
      return fail(&comm, ncclRemoteError, "a process with other ranks is gone");
    }
  } catch (const std::exception& error) {
    clique.broken = error.what();
  }
  return clique.broken.empty() ? ncclSuccess : fail(&comm, ncclSystemError, clique.broken);
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

// The folder in which the ranks of several processes would meet: with the simulated node, and gone with it at the latest.
ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  const char* const simulation = std::getenv("RACKPROOF_SIMULATION");
  std::error_code none;
  std::string folder = std::filesystem::absolute(simulation == nullptr ? "/tmp" : simulation, none).string();
  std::random_device random;
  char name[32];
  std::snprintf(name, sizeof name, "/nccl.%08x%08x", random(), random());
  if (folder.size() + std::strlen(name) >= sizeof id->internal) folder = "/tmp";
  folder += name;
  std::memset(id->internal, 0, sizeof id->internal);
  std::memcpy(id->internal, folder.data(), folder.size());
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank, ncclConfig_t* config) {
  Machine* const machine = Machine::here();
  if (machine == nullptr) return ncclUnhandledCudaError;
  const std::scoped_lock lock(machine->mutex);
  if (rank < 0 || rank >= ranks || (config != nullptr && config->magic != kMagic)) return ncclInvalidArgument;
  const int gpu = current_gpu();
  if (gpu < 0 || machine->is_lost(gpu)) return ncclUnhandledCudaError;
  const std::string folder(id.internal, strnlen(id.internal, sizeof id.internal));
  std::shared_ptr<Clique>& clique = cliques()[folder];
  if (clique == nullptr) {
    clique = std::make_shared<Clique>();
    clique->members.resize(static_cast<std::size_t>(ranks));
    clique->gpus.resize(static_cast<std::size_t>(ranks), -1);
  }
  const auto at = static_cast<std::size_t>(rank);
  if (clique->members.size() != static_cast<std::size_t>(ranks) || clique->members[at] != nullptr)
    return ncclInvalidUsage;
  auto* const made = new ncclComm;
  made->clique = clique;
  made->folder = folder;
  made->rank = rank;
  made->gpu = gpu;
  made->is_blocking = config == nullptr || config->blocking != 0;
  clique->members[at] = made;
  clique->gpus[at] = gpu;
  *comm = made;
  if (std::ranges::count(clique->members, nullptr) == 0) {
    clique->is_whole = true;
    write_files(*machine, *clique);
  }
  return made->is_blocking ? ncclSuccess : ncclInProgress;
}

ncclResult_t ncclCommFinalize(ncclComm_t comm) { return comm == nullptr ? ncclInvalidArgument : ncclSuccess; }

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  Machine* const machine = Machine::here();
  if (machine == nullptr || comm == nullptr) return ncclInvalidArgument;
  const std::scoped_lock lock(machine->mutex);
  machine->timeline().run();
  Clique& clique = *comm->clique;
  clique.members[static_cast<std::size_t>(comm->rank)] = nullptr;
  // With our last rank we leave the others.
  if (clique.span != nullptr && std::ranges::count(clique.members, nullptr) == std::ssize(clique.members)) {
    abort(clique);
    clique.span.reset();
  }
  delete comm;
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  Machine* const machine = Machine::here();
  if (machine == nullptr || comm == nullptr) return ncclInvalidArgument;
  const std::scoped_lock lock(machine->mutex);
  abort(*comm->clique);
  return ncclCommDestroy(comm);
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* state) {
  Machine* const machine = Machine::here();
  if (machine == nullptr || comm == nullptr) return ncclInvalidArgument;
  const std::scoped_lock lock(machine->mutex);
  *state = ncclSuccess;
  if (machine->is_lost(comm->gpu)) {
    *state = fail(comm, ncclUnhandledCudaError, "Cuda failure 719 'unspecified launch failure'");
  } else if (const ncclResult_t others = state_of_others(*machine, *comm); others != ncclSuccess) {
    *state = others;
  } else if (!comm->is_blocking && !std::exchange(comm->was_asked, true)) {
    *state = ncclInProgress;
  }
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t code) {
  switch (code) {
    case ncclSuccess:
      return "no error";
    case ncclUnhandledCudaError:
      return "unhandled cuda error";
    case ncclSystemError:
      return "unhandled system error";
    case ncclInternalError:
      return "internal error";
    case ncclInvalidArgument:
      return "invalid argument";
    case ncclInvalidUsage:
      return "invalid usage";
    case ncclRemoteError:
      return "remote process exited or there was a network error";
    case ncclInProgress:
      return "NCCL operation in progress";
    default:
      return "unknown result code";
  }
}

const char* ncclGetLastError(ncclComm_t comm) { return comm == nullptr ? "" : comm->last_error.c_str(); }

ncclResult_t ncclGroupStart() {
  begin_group();
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() { return end_group(); }

ncclResult_t ncclAllReduce(const void* sent, void* received, size_t count, ncclDataType_t type, ncclRedOp_t operation,
                           ncclComm_t comm, cudaStream_t stream) {
  if (!adds_up(type, operation)) return fail(comm, ncclInvalidArgument, "simulated: float32 sums alone");
  return add(comm, CollectiveKind::all_reduce, 0, part_of(sent, count * size_of(type), received, count * size_of(type)),
             stream);
}

ncclResult_t ncclAllGather(const void* sent, void* received, size_t count, ncclDataType_t type, ncclComm_t comm,
                           cudaStream_t stream) {
  if (comm == nullptr) return ncclInvalidArgument;
  const std::size_t bytes = count * size_of(type);
  return add(comm, CollectiveKind::all_gather, 0, part_of(sent, bytes, received, bytes * comm->clique->members.size()),
             stream);
}

ncclResult_t ncclReduceScatter(const void* sent, void* received, size_t count, ncclDataType_t type,
                               ncclRedOp_t operation, ncclComm_t comm, cudaStream_t stream) {
  if (comm == nullptr || !adds_up(type, operation))
    return fail(comm, ncclInvalidArgument, "simulated: float32 sums alone");
  const std::size_t bytes = count * size_of(type);
  return add(comm, CollectiveKind::reduce_scatter, 0,
             part_of(sent, bytes * comm->clique->members.size(), received, bytes), stream);
}

ncclResult_t ncclBroadcast(const void* sent, void* received, size_t count, ncclDataType_t type, int root,
                           ncclComm_t comm, cudaStream_t stream) {
  return add(comm, CollectiveKind::broadcast, root,
             part_of(sent, count * size_of(type), received, count * size_of(type)), stream);
}

ncclResult_t ncclSend(const void* sent, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return add_message(comm, true, {peer, const_cast<void*>(sent), count * size_of(type)}, stream);
}

ncclResult_t ncclRecv(void* received, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return add_message(comm, false, {peer, received, count * size_of(type)}, stream);
}

}  // extern "C"
