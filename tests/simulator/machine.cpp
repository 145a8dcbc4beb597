#include "tests/simulator/machine.h"

#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstdio>

#include "tests/simulator/visible_devices.h"

namespace rackproof::simulator {
namespace {

// Rates vary slowly against a single copy and fast against a sample: noise has one value a block of this length.
constexpr double kNoiseBlockNs = 20e6;

// Pages that a check gave back are taken again without the kernel clearing them first.
void keep_freed_memory() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

}  // namespace

Machine* Machine::here() {
  static Machine* const one = []() -> Machine* {
    const char* folder = std::getenv("RACKPROOF_SIMULATION");
    if (folder == nullptr) return nullptr;
    keep_freed_memory();
    try {
      return new Machine(folder);  // lives as long as the process: CUDA is used until its very end
    } catch (const std::exception& error) {
      std::fprintf(stderr, "simulator: %s\n", error.what());
      return nullptr;
    }
  }();
  return one;
}

Machine::Machine(const std::string& folder)
    : folder_(folder),
      profile_(read_profile(folder + "/profile.yaml")),
      faults_(read_faults(folder + "/faults.txt", profile_)),
      state_(map_shared_state(folder)),
      timeline_(resources_) {
  for (int gpu = 0; gpu < static_cast<int>(profile_.gpus.size()); ++gpu) {
    if (fault(FaultKind::gpu_missing, gpu) == nullptr) present_.push_back(gpu);
  }
  if (const char* list = std::getenv("CUDA_VISIBLE_DEVICES")) present_ = visible_devices(profile_, present_, list);
  busy_until_.assign(profile_.gpus.size(), 0);
  warmth_.assign(profile_.gpus.size(), 0);
  energy_rest_mj_.assign(profile_.gpus.size(), 0);
  shown_at_.assign(profile_.gpus.size(), 0);
  copied_.assign(profile_.gpus.size(), 0);
  build_resources();
  timeline_.on_begin = [this](const Work& work, double now) {
    if (work.gpu < 0) return 1.0;
    const double block = std::floor(now / kNoiseBlockNs);
    const double noise = 1 + profile_.noise * gaussian(static_cast<std::uint64_t>(work.gpu) + 100 * profile_.seed,
                                                       static_cast<std::uint64_t>(block));
    return (work.load == static_cast<int>(Load::memory) || work.load == static_cast<int>(Load::arithmetic)
                ? slowness(work.gpu)
                : 1.0) /
           std::max(0.5, noise);
  };
  timeline_.on_end = [this](const Work& work, double from, double to) { account(work, from, to); };
  timeline_.is_lost = [this](int gpu, double) { return gpu >= 0 && is_lost(gpu); };
  timeline_.is_hung = [this](int gpu) { return gpu >= 0 && is_hung(gpu); };
}

const Fault* Machine::fault(FaultKind kind, int target) const {
  const auto found = std::ranges::find_if(
      faults_, [&](const Fault& one) { return one.kind == kind && (one.target == target || one.target < 0); });
  return found == faults_.end() ? nullptr : &*found;
}

bool Machine::is_lost(int gpu) const {
  const Fault* const lost = fault(FaultKind::gpu_lost, gpu);
  if (lost == nullptr) return false;
  if (state_.gpus[gpu].lost != 0) return true;
  if (static_cast<double>(state_.gpus[gpu].busy_ns) < lost->after_s * 1e9) return false;
  state_.gpus[gpu].lost = 1;
  return true;
}

bool Machine::is_hung(int gpu) const {
  const Fault* const hung = fault(FaultKind::gpu_hangs, gpu);
  return hung != nullptr && static_cast<double>(state_.gpus[gpu].busy_ns) >= hung->after_s * 1e9;
}

bool Machine::has_code(int gpu, const std::string& name) {
  if (code_.contains({gpu, name})) return true;
  timeline_.run();
  if (!timeline_.is_gpu_idle(gpu) && !is_hung(gpu)) {
    std::fprintf(stderr, "simulator: '%s' is launched on GPU %d for the first time while that waits for something\n",
                 name.c_str(), gpu);
    return false;
  }
  code_.emplace(gpu, name);
  return true;
}

double Machine::nvlink_share(int gpu) const {
  const auto down = std::ranges::count_if(
      faults_, [&](const Fault& one) { return one.kind == FaultKind::nvlink_down && one.target == gpu; });
  return profile_.kind.nvlinks == 0 ? 0 : 1 - static_cast<double>(down) / profile_.kind.nvlinks;
}

void Machine::build_resources() {
  for (std::size_t i = 0; i < profile_.switches.size(); ++i) {
    const Fault* const narrow = fault(FaultKind::uplink_share, static_cast<int>(i));
    const double gbs = profile_.switches[i].gbs * (narrow != nullptr ? narrow->amount / 100 : 1);
    switch_parts_.push_back({resources_.add("switch down", gbs), resources_.add("switch up", gbs)});
  }
  // The lower a link is trained, the less it carries: lanes times speed, in shares of what the slot can do.
  for (int gpu = 0; gpu < static_cast<int>(profile_.gpus.size()); ++gpu) {
    double share = 1;
    if (const Fault* f = fault(FaultKind::link_width, gpu)) share *= f->amount / profile_.slot.width;
    if (const Fault* f = fault(FaultKind::link_speed, gpu)) share *= f->amount / profile_.slot.speed_gts;
    const double nvlinks = profile_.kind.nvlinks * profile_.kind.nvlink_gbs * nvlink_share(gpu);
    parts_.push_back({.to_gpu = resources_.add("to gpu", profile_.h2d_gbs * share),
                      .from_gpu = resources_.add("from gpu", profile_.d2h_gbs * share),
                      .both = resources_.add("gpu both ways", profile_.both_gbs * share),
                      .hbm = resources_.add("hbm", profile_.kind.hbm_gbs),
                      .arithmetic = resources_.add("arithmetic", 1),
                      .nvlink_out = resources_.add("nvlink out", nvlinks),
                      .nvlink_in = resources_.add("nvlink in", nvlinks)});
  }
  for (int i = 0; i < 2; ++i) sockets_.push_back(resources_.add("between the packages", profile_.socket_gbs));
}

std::vector<ResourceId> Machine::copy_path(int from_gpu, int from_numa, int to_gpu, int to_numa) const {
  const auto part = [&](int gpu) -> const Part& { return parts_[static_cast<std::size_t>(gpu)]; };
  const auto upstream = [&](int gpu) { return profile_.gpus[static_cast<std::size_t>(gpu)].upstream; };
  const auto numa = [&](int gpu) { return profile_.switches[static_cast<std::size_t>(upstream(gpu))].numa; };
  if (from_gpu == to_gpu) return from_gpu < 0 ? std::vector<ResourceId>{} : std::vector{part(from_gpu).hbm};
  if (from_gpu >= 0 && to_gpu >= 0 && profile_.kind.nvlinks > 0) {
    return {part(from_gpu).nvlink_out, part(to_gpu).nvlink_in};
  }
  std::vector<ResourceId> path;
  const bool same_switch = from_gpu >= 0 && to_gpu >= 0 && upstream(from_gpu) == upstream(to_gpu);
  if (from_gpu >= 0) {
    path.insert(path.end(), {part(from_gpu).from_gpu, part(from_gpu).both});
    if (!same_switch) path.push_back(switch_parts_[static_cast<std::size_t>(upstream(from_gpu))].up);
    from_numa = numa(from_gpu);
  }
  if (to_gpu >= 0) {
    path.insert(path.end(), {part(to_gpu).to_gpu, part(to_gpu).both});
    if (!same_switch) path.push_back(switch_parts_[static_cast<std::size_t>(upstream(to_gpu))].down);
    to_numa = numa(to_gpu);
  }
  if (from_numa != to_numa) path.push_back(sockets_[from_numa == 0 ? 0 : 1]);
  return path;
}

double Machine::load_ns(int gpu, const void* from) {
  const Allocation* one = memory_.find(from);
  if (one == nullptr || one->gpu == gpu) return profile_.kind.hbm_ns;
  if (one->gpu != kHost) return profile_.kind.nvlinks > 0 ? profile_.kind.nvlink_ns : 2 * profile_.host_ns;
  const int numa =
      profile_.switches[static_cast<std::size_t>(profile_.gpus[static_cast<std::size_t>(gpu)].upstream)].numa;
  return profile_.host_ns + (one->numa != numa ? profile_.socket_ns : 0);
}

double Machine::gaussian(std::uint64_t a, std::uint64_t b) const {
  const auto uniform = [&](std::uint64_t salt) {
    const std::uint64_t bits = derived_content(derived_content(profile_.seed * 1000003 + salt, a), b) & ((1ULL << 52) - 1);
    return (static_cast<double>(bits) + 0.5) / static_cast<double>(1ULL << 52);
  };
  return std::sqrt(-2 * std::log(uniform(1))) * std::cos(6.283185307179586 * uniform(2));
}

}  // namespace rackproof::simulator
