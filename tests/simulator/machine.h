// The simulated node inside a check's process: what the stand-in libraries act on. One per process, since a C library can
// be handed no object.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulator/fault.h"
#include "tests/simulator/kernels.h"
#include "tests/simulator/memory.h"
#include "tests/simulator/profile.h"
#include "tests/simulator/shared_state.h"
#include "tests/simulator/timeline.h"

namespace rackproof::simulator {

// Kinds of work, by what they draw and what slows them down.
enum class Load { idle, copy, memory, arithmetic };

class Machine {
 public:
  // Opens the folder in RACKPROOF_SIMULATION; nullptr when there is none: a stand-in then knows no GPU.
  static Machine* here();

  explicit Machine(const std::string& folder);

  // Held by every entry point of a stand-in.
  std::recursive_mutex mutex;

  const Profile& profile() const { return profile_; }
  const std::vector<Fault>& faults() const { return faults_; }
  const Fault* fault(FaultKind, int target) const;
  SharedState& state() { return state_; }
  Timeline& timeline() { return timeline_; }
  Memory& memory() { return memory_; }
  Resources& resources() { return resources_; }

  // What CUDA counts: the GPUs that are there and that CUDA_VISIBLE_DEVICES leaves, by their number in the profile.
  const std::vector<int>& present() const { return present_; }
  bool is_lost(int gpu) const;
  bool is_hung(int gpu) const;
  // Whether a GPU has this code, or can be given it now: as long as it has work, a driver would wait before it loads what
  // is launched for the first time.
  bool has_code(int gpu, const std::string& name);

  // Paths of flows. A GPU of -1 is the host, with the NUMA node of its memory.
  std::vector<ResourceId> copy_path(int from_gpu, int from_numa, int to_gpu, int to_numa) const;
  ResourceId arithmetic(int gpu) const { return parts_[static_cast<std::size_t>(gpu)].arithmetic; }
  ResourceId hbm(int gpu) const { return parts_[static_cast<std::size_t>(gpu)].hbm; }
  double nvlink_share(int gpu) const;  // of its links, as many as are up
  double load_ns(int gpu, const void* from);  // latency of one dependent load

  // A kernel or the like as work for a stream: its cost becomes time, and its act is `body`, done once for the same
  // content when it is pure.
  Work work_of(int gpu, const Launched&, const Kernel&);
  // The same for a stand-in's own operations (GEMM, collectives): every input and output with its extent.
  void do_pure(int gpu, ContentId key, const std::vector<Access>& accesses, const std::function<void()>& compute);
  // After anything wrote into a GPU's memory: what a broken memory makes of it.
  void after_write(int gpu, void* at, std::size_t bytes);
  // A bit somewhere in there flips; the same place every time for the same `salt`.
  void flip_bit(void* at, std::size_t bytes, std::uint64_t salt);

  // Standard normal, the same for the same arguments.
  double gaussian(std::uint64_t a, std::uint64_t b) const;

  // Work of a GPU that is under way belongs to a load, for power and clocks.
  void set_load(Work& work, int gpu, Load load) const;

 private:
  struct Part {
    ResourceId to_gpu, from_gpu, both, hbm, arithmetic, nvlink_out, nvlink_in;
  };
  struct SwitchPart {
    ResourceId down, up;
  };
  void build_resources();
  double slowness(int gpu) const;  // multiplies the time of what is clocked
  bool is_throttled(FaultKind, int gpu) const;
  void account(const Work&, double from_ns, double to_ns);
  double warm(std::size_t gpu, Load, double busy_ns, double idle_ns);  // degC afterwards
  void count_energy(int gpu, double millijoule);
  void count_link_errors(const Work&);
  void count_errors(int gpu, std::int64_t busy_ns);

  std::string folder_;
  Profile profile_;
  std::vector<Fault> faults_;
  SharedState& state_;
  std::vector<int> present_;
  std::set<std::pair<int, std::string>> code_;  // that GPUs have
  Resources resources_;
  Memory memory_;
  Timeline timeline_;
  std::vector<Part> parts_;
  std::vector<SwitchPart> switch_parts_;
  std::vector<ResourceId> sockets_;  // from 0 to 1, from 1 to 0
  std::vector<double> busy_until_;
  std::vector<double> warmth_;       // degC above idle
  std::vector<double> energy_rest_mj_;
  std::vector<double> shown_at_;
  std::vector<double> copied_;       // bytes since its link's last error
  std::uint64_t writes_ = 0;  // to the bad cell that fails now and then
  std::map<int, bool> aggressors_;  // by GPU: the bit whose change flips its neighbour's
  std::unordered_map<ContentId, std::string> small_results_;
};

}  // namespace rackproof::simulator
