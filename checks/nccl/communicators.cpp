#include "checks/nccl/communicators.h"

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "checks/api/last_word.h"
#include "checks/gpu/cuda_handles.h"

namespace rackproof {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPause = std::chrono::microseconds(50);

std::string sentence(ncclResult_t code, const std::string& call, int local, ncclComm_t comm) {
  std::string text =
      call + (local < 0 ? "" : " of our rank " + std::to_string(local)) + ": " + ncclGetErrorString(code);
  const char* const last = ncclGetLastError(comm);
  if (last != nullptr && *last != '\0') text += std::string(" (") + last + ")";
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

bool is_fine(ncclResult_t code) { return code == ncclSuccess || code == ncclInProgress; }

// A group that was begun must be ended, also when a call in it failed.
class Group {
 public:
  Group() { ncclGroupStart(); }
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;
  ~Group() {
    if (!is_ended_) ncclGroupEnd();
  }
  ncclResult_t end() {
    is_ended_ = true;
    return ncclGroupEnd();
  }

 private:
  bool is_ended_ = false;
};

}  // namespace

NcclError::NcclError(ncclResult_t code, const std::string& call, int local, ncclComm_t comm)
    : std::runtime_error(sentence(code, call, local, comm)), code_(code), local_(local) {}

World world_of_this_node(std::size_t gpus) {
  World world{.ranks = static_cast<int>(gpus)};
  if (const ncclResult_t code = ncclGetUniqueId(&world.id); code != ncclSuccess) {
    throw NcclError(code, "ncclGetUniqueId", -1, nullptr);
  }
  return world;
}

std::string nccl_version_text() {
  int code = 0;
  if (ncclGetVersion(&code) != ncclSuccess) return "of an unknown version";
  return std::to_string(code / 10000) + "." + std::to_string(code / 100 % 100) + "." + std::to_string(code % 100);
}

Communicators::Communicators(const World& world, const std::vector<Gpu>& gpus, std::chrono::milliseconds to_start,
                             std::chrono::milliseconds at_most)
    : world_(world), comms_(gpus.size(), nullptr), at_most_(at_most) {
  for (const Gpu& gpu : gpus) gpus_.push_back(gpu.index);
  try {
    Group group;
    for (std::size_t i = 0; i < gpus_.size(); ++i) {
      use_gpu(gpus_[i]);
      ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
      config.blocking = 0;
      call(ncclCommInitRankConfig(&comms_[i], world_.ranks, world_.id, world_.first + static_cast<int>(i), &config),
           "ncclCommInitRankConfig", static_cast<int>(i));
    }
    call(group.end(), "ncclGroupEnd", -1);
    settle("the start of NCCL", to_start);
  } catch (...) {
    abort(at_most_);
    throw;
  }
}

Communicators::~Communicators() {
  try {
    for (const ncclComm_t comm : comms_) {
      if (comm != nullptr) ncclCommFinalize(comm);
    }
    settle("ncclCommFinalize", at_most_);
    for (const ncclComm_t comm : comms_) {
      if (comm != nullptr) ncclCommDestroy(comm);
    }
  } catch (...) {
    abort(at_most_);
  }
}

void Communicators::call(ncclResult_t code, const char* name, int local) {
  if (!is_fine(code)) throw NcclError(code, name, local, local < 0 ? nullptr : comms_[static_cast<std::size_t>(local)]);
}

void Communicators::look() {
  std::optional<NcclError> noticed;
  for (std::size_t i = 0; i < comms_.size(); ++i) {
    ncclResult_t state = ncclSuccess;
    ncclCommGetAsyncError(comms_[i], &state);
    if (is_fine(state)) continue;
    NcclError error(state, "a collective", static_cast<int>(i), comms_[i]);
    if (!error.is_remote()) throw error;
    if (!noticed) noticed = std::move(error);
  }
  if (noticed) throw *noticed;
}

// Until no rank of ours has a call under way.
void Communicators::settle(const char* name, std::chrono::milliseconds at_most) {
  const auto deadline = Clock::now() + at_most;
  while (true) {
    std::string waiting;
    for (std::size_t i = 0; i < comms_.size(); ++i) {
      ncclResult_t state = ncclSuccess;
      call(ncclCommGetAsyncError(comms_[i], &state), name, static_cast<int>(i));
      call(state, name, static_cast<int>(i));
      if (state == ncclInProgress)
        waiting += (waiting.empty() ? "" : ", ") + std::to_string(world_.first + static_cast<int>(i));
    }
    if (waiting.empty()) return;
    if (Clock::now() >= deadline) {
      throw Trouble{std::string(name) + " did not end within " + std::to_string(at_most.count()) + " ms on rank " +
                    waiting};
    }
    std::this_thread::sleep_for(kPause);
  }
}

void Communicators::enqueue_one(std::size_t i, Collective what, const Extents& extents, const float* sent,
                                float* received, cudaStream_t stream) {
  const ncclComm_t comm = comms_[i];
  const auto local = static_cast<int>(i);
  const int rank = world_.first + local;
  switch (what) {
    case Collective::all_reduce:
      return call(ncclAllReduce(sent, received, extents.sent, ncclFloat32, ncclSum, comm, stream), "ncclAllReduce",
                  local);
    case Collective::all_gather:
      return call(ncclAllGather(sent, received, extents.sent, ncclFloat32, comm, stream), "ncclAllGather", local);
    case Collective::reduce_scatter:
      return call(ncclReduceScatter(sent, received, extents.received, ncclFloat32, ncclSum, comm, stream),
                  "ncclReduceScatter", local);
    case Collective::broadcast:
      return call(ncclBroadcast(sent, received, extents.sent, ncclFloat32, 0, comm, stream), "ncclBroadcast", local);
    case Collective::all_to_all:
      for (int peer = 0; peer < world_.ranks; ++peer) {
        const std::size_t at = extents.part * static_cast<std::size_t>(peer);
        call(ncclSend(sent + at, extents.part, ncclFloat32, peer, comm, stream), "ncclSend", local);
        call(ncclRecv(received + at, extents.part, ncclFloat32, peer, comm, stream), "ncclRecv", local);
      }
      return;
    case Collective::send_receive:
      call(ncclSend(sent, extents.sent, ncclFloat32, (rank + 1) % world_.ranks, comm, stream), "ncclSend", local);
      return call(
          ncclRecv(received, extents.received, ncclFloat32, (rank + world_.ranks - 1) % world_.ranks, comm, stream),
          "ncclRecv", local);
  }
}

void Communicators::enqueue(Collective what, const Extents& extents, const std::vector<const float*>& sent,
                            const std::vector<float*>& received, const std::vector<cudaStream_t>& streams) {
  Group group;
  for (std::size_t i = 0; i < comms_.size(); ++i) {
    use_gpu(gpus_[i]);
    enqueue_one(i, what, extents, sent[i], received[i], streams[i]);
  }
  call(group.end(), "ncclGroupEnd", -1);
  settle("the launch of a collective", at_most_);
}

// In a thread of its own: it waits for kernels to end, and a GPU that is gone may never say so.
bool Communicators::abort(std::chrono::milliseconds at_most) {
  const auto is_done = std::make_shared<std::atomic<bool>>(false);
  std::vector<ncclComm_t> comms = std::exchange(comms_, {});
  std::thread([comms = std::move(comms), gpus = gpus_, is_done] {
    ncclGroupStart();
    for (std::size_t i = 0; i < comms.size(); ++i) {
      if (comms[i] == nullptr) continue;
      cudaSetDevice(gpus[i]);
      ncclCommAbort(comms[i]);
    }
    ncclGroupEnd();
    is_done->store(true);
  }).detach();
  const auto deadline = Clock::now() + at_most;
  while (!is_done->load() && Clock::now() < deadline) std::this_thread::sleep_for(kPause);
  return is_done->load();
}

}  // namespace rackproof
