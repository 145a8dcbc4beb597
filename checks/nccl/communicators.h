// NCCL's communicators, one for each rank that this process drives, from one host thread. All of them are non-blocking,
// so that no call of NCCL's can take the check with it.
//
// Where ranks come from is decided here alone: World says how many there are in all, and which of them are ours. Ranks
// of other nodes would share the id.
#pragma once

#include <nccl.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "checks/gpu/cuda_devices.h"
#include "checks/nccl/collective.h"

namespace rackproof {

class NcclError : public std::runtime_error {
 public:
  NcclError(ncclResult_t code, const std::string& call, int local, ncclComm_t comm);
  int local() const { return local_; }  // index among our ranks; -1: none in particular
  // Another rank failed; this one only noticed.
  bool is_remote() const { return code_ == ncclRemoteError; }

 private:
  ncclResult_t code_;
  int local_;
};

struct World {
  int ranks = 0;
  int first = 0;  // ours are first … first + as many as there are GPUs here
  ncclUniqueId id{};
};
// All ranks are this process's, one a GPU.
World world_of_this_node(std::size_t gpus);

std::string nccl_version_text();

class Communicators {
 public:
  // Throws NcclError, and Trouble when it takes longer than `to_start`: then with the ranks that did not come up. Later
  // calls have `at_most`.
  Communicators(const World&, const std::vector<Gpu>&, std::chrono::milliseconds to_start,
                std::chrono::milliseconds at_most);
  Communicators(const Communicators&) = delete;
  Communicators& operator=(const Communicators&) = delete;
  ~Communicators();  // gives them back, within the bound; aborts what cannot be given back

  const World& world() const { return world_; }
  std::size_t count() const { return comms_.size(); }

  // Puts one collective into the stream of each of our ranks: `sent` and `received` are one pointer a rank. Throws
  // NcclError.
  void enqueue(Collective, const Extents&, const std::vector<const float*>& sent, const std::vector<float*>& received,
               const std::vector<cudaStream_t>& streams);

  // What has gone wrong since, beside the calls. Throws NcclError for the first rank of which NCCL says so, those that
  // only noticed another's failure last.
  void look();

  // Ends whatever is under way, on all ranks. False when that took longer than `at_most`; nothing may then be given
  // back.
  bool abort(std::chrono::milliseconds at_most);

 private:
  void call(ncclResult_t code, const char* name, int local);
  void settle(const char* name, std::chrono::milliseconds at_most);
  void enqueue_one(std::size_t local, Collective, const Extents&, const float* sent, float* received, cudaStream_t);

  World world_;
  std::vector<int> gpus_;
  std::vector<ncclComm_t> comms_;
  std::chrono::milliseconds at_most_;
};

}  // namespace rackproof
