#include "tests/simulator/machine.h"

#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "tests/simulator/node_files.h"

namespace rackproof::simulator {
namespace {

// Rates vary slowly against a single copy and fast against a sample: noise has one value a block of this length.
constexpr double kNoiseBlockNs = 20e6;
constexpr double kWarmsWithinNs = 20e9;
constexpr double kThrottledSpeed = 0.6;
constexpr std::size_t kSmall = 64 << 10;  // results up to this are kept

// Pages that a check gave back are taken again without the kernel clearing them first.
void keep_freed_memory() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

double share_of(Load load) {
  switch (load) {
    case Load::idle: return 0;
    case Load::copy: return 0.2;
    case Load::memory: return 0.55;
    case Load::arithmetic: return 0.95;
  }
  return 0;
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
    busy_at_start_.push_back(state_.gpus[gpu].busy_ns);
  }
  busy_until_.assign(profile_.gpus.size(), 0);
  warmth_.assign(profile_.gpus.size(), 0);
  last_busy_.assign(profile_.gpus.size(), 0);
  shown_at_.assign(profile_.gpus.size(), 0);
  copied_.assign(profile_.gpus.size(), 0);
  build_resources();
  timeline_.on_begin = [this](const Work& work, double now) {
    if (work.gpu < 0) return 1.0;
    const double block = std::floor(now / kNoiseBlockNs);
    const double noise = 1 + profile_.noise * gaussian(static_cast<std::uint64_t>(work.gpu) + 100 * profile_.seed,
                                                       static_cast<std::uint64_t>(block));
    return (work.load == static_cast<int>(Load::memory) || work.load == static_cast<int>(Load::arithmetic)
                ? slowness(work.gpu, now)
                : 1.0) /
           std::max(0.5, noise);
  };
  timeline_.on_end = [this](const Work& work, double from, double to) { account(work, from, to); };
  timeline_.is_lost = [this](int gpu, double) { return gpu >= 0 && is_lost(gpu); };
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

bool Machine::is_throttled(int gpu) const {
  const auto busy_s = static_cast<double>(state_.gpus[gpu].busy_ns) / 1e9;
  for (const FaultKind kind : {FaultKind::throttle_thermal, FaultKind::throttle_power}) {
    if (const Fault* f = fault(kind, gpu); f != nullptr && busy_s >= f->after_s) return true;
  }
  return false;
}

double Machine::slowness(int gpu, double) const {
  double speed = is_throttled(gpu) ? kThrottledSpeed : 1;
  if (const Fault* f = fault(FaultKind::slow, gpu)) speed *= 1 - f->amount / 100;
  return 1 / speed;
}

void Machine::set_load(Work& work, int gpu, Load load) const {
  work.gpu = gpu;
  work.load = static_cast<int>(load);
}

void Machine::account(const Work& work, double from_ns, double to_ns) {
  if (work.gpu < 0) return;
  const auto i = static_cast<std::size_t>(work.gpu);
  GpuState& state = state_.gpus[work.gpu];
  const GpuKind& kind = profile_.kind;
  const auto load = static_cast<Load>(work.load);
  const double busy_ns = std::max(0.0, to_ns - std::max(from_ns, busy_until_[i]));
  const double idle_ns = std::max(0.0, from_ns - busy_until_[i]);
  busy_until_[i] = std::max(busy_until_[i], to_ns);
  const double power = kind.idle_w + (kind.limit_w - kind.idle_w) * share_of(load);
  if (load != Load::idle) state.busy_ns += static_cast<std::int64_t>(busy_ns);
  const double joule = power * busy_ns / 1e9 + kind.idle_w * idle_ns / 1e9;
  last_busy_[i] += joule * 1000;
  state.energy_mj += static_cast<std::int64_t>(last_busy_[i]);
  last_busy_[i] -= std::floor(last_busy_[i]);

  warmth_[i] *= std::exp(-idle_ns / kWarmsWithinNs);
  warmth_[i] += ((kind.load_c - kind.idle_c) * share_of(load) / 0.95 - warmth_[i]) * -std::expm1(-busy_ns / kWarmsWithinNs);
  double temperature = kind.idle_c + warmth_[i];
  const bool works = load == Load::memory || load == Load::arithmetic;
  std::int64_t throttled = 0;
  const auto busy_s = static_cast<double>(state.busy_ns) / 1e9;
  if (const Fault* f = fault(FaultKind::throttle_thermal, work.gpu); f != nullptr && works && busy_s >= f->after_s) {
    throttled = 1;
    state.thermal_ns += static_cast<std::int64_t>(busy_ns);
    temperature = kind.slowdown_c + 1;
  }
  if (const Fault* f = fault(FaultKind::throttle_power, work.gpu); f != nullptr && works && busy_s >= f->after_s) {
    throttled = 2;
    state.power_ns += static_cast<std::int64_t>(busy_ns);
  }
  // What sensors show: they are too slow for a short copy between long kernels.
  constexpr double kTooShortNs = 20e3;
  constexpr double kSensorNs = 1e6;
  if (busy_ns >= kTooShortNs || to_ns - shown_at_[i] >= kSensorNs) {
    shown_at_[i] = to_ns;
    state.throttled = throttled;
    state.temperature_mc = static_cast<std::int64_t>(temperature * 1000);
    state.power_mw = static_cast<std::int64_t>(power * 1000);
    state.clock_khz = static_cast<std::int64_t>((load == Load::idle ? kind.idle_clock_mhz : kind.sm_clock_mhz) * 1000 *
                                                (throttled != 0 ? kThrottledSpeed : 1));
  }

  // Once for every so many bytes that were copied, so that a short step sees some too.
  constexpr double kBytesOfLinkError = 64e6;
  if (load == Load::copy && fault(FaultKind::link_errors, work.gpu) != nullptr) {
    copied_[i] += work.amount;
    const auto errors = static_cast<std::int64_t>(copied_[i] / kBytesOfLinkError);
    copied_[i] -= static_cast<double>(errors) * kBytesOfLinkError;
    state.replays += errors;
    if (errors > 0) count_corrected_errors(folder_, profile_.gpus[i].address, errors);
  }

  // One event in every 100 ms of work, so that a step of a second sees some.
  constexpr std::int64_t kEvery = 100'000'000;
  const std::int64_t before = (state.busy_ns - static_cast<std::int64_t>(busy_ns)) / kEvery;
  const std::int64_t events = load == Load::idle ? 0 : state.busy_ns / kEvery - before;
  if (events == 0) return;
  if (fault(FaultKind::ecc_corrected, work.gpu) != nullptr) state.ecc_corrected += events;
  if (fault(FaultKind::ecc_uncorrected, work.gpu) != nullptr) state.ecc_uncorrected += events;
  if (fault(FaultKind::remap_rising, work.gpu) != nullptr) state.rows_remapped += events;
  if (fault(FaultKind::link_errors, work.gpu) != nullptr) state.replays += events;
  for (const Fault& one : faults_) {
    if (one.kind == FaultKind::nvlink_errors && one.target == work.gpu) state.nvlink_errors[one.index] += events;
  }
}

Work Machine::work_of(int gpu, const Launched& launched, const Kernel& kernel) {
  const Cost& cost = launched.cost;
  Work work;
  work.fixed_ns = cost.fixed_ns + cost.steps * (cost.chased == nullptr ? 0 : load_ns(gpu, cost.chased));
  work.may_begin = launched.may_begin;
  Load load = cost.is_idle ? Load::idle : Load::memory;
  // What a kernel moves over several ways at once takes as long as the slowest of them needs: the ways are one path.
  for (const Access& access : cost.accesses) {
    const double bytes = access.bytes > 0 ? access.bytes : static_cast<double>(access.extent);
    const Allocation* one = memory_.find(access.at);
    const int where = one == nullptr ? gpu : one->gpu;
    if (where == gpu) {
      work.amount += bytes;
      if (std::ranges::count(work.path, hbm(gpu)) == 0) work.path.push_back(hbm(gpu));
    } else {
      const auto way = access.is_write ? copy_path(gpu, 0, where, one->numa) : copy_path(where, one->numa, gpu, 0);
      work.path.insert(work.path.end(), way.begin(), way.end());
      work.amount = std::max(work.amount, bytes);
    }
  }
  if (cost.arithmetic_ns > 0) {
    work.fixed_ns += 0;
    if (work.path.empty()) {
      work.amount = cost.arithmetic_ns;
      work.path = {arithmetic(gpu)};
    } else {
      work.fixed_ns += cost.arithmetic_ns;
    }
    load = Load::arithmetic;
  }
  set_load(work, gpu, load);
  const bool is_pure = kernel.purity == Purity::pure;
  const ContentId key = derived_content(std::hash<std::string>{}(kernel.name), launched.scalars);
  work.act = [this, gpu, launched, is_pure, key] {
    if (is_pure) return do_pure(gpu, key, launched.cost.accesses, launched.body);
    launched.body();
    for (const void* output : launched.outputs) {
      memory_.touched(output);
      if (const Allocation* one = memory_.find(output)) after_write(one->gpu, one->base, one->bytes);
    }
  };
  return work;
}

void Machine::do_pure(int, ContentId key, const std::vector<Access>& accesses, const std::function<void()>& compute) {
  for (const Access& access : accesses) {
    if (!access.is_write) key = derived_content(key, memory_.content(access.at, access.extent));
  }
  bool is_done = true;
  std::uint64_t number = 0;
  for (const Access& access : accesses) {
    if (!access.is_write) continue;
    const ContentId content = derived_content(key, ++number);
    void* const at = const_cast<void*>(access.at);
    if (memory_.content(at, access.extent) == content) continue;
    const auto kept = small_results_.find(content);
    const void* const elsewhere = kept != small_results_.end() ? kept->second.data() : memory_.where(content, access.extent);
    if (elsewhere == nullptr) {
      is_done = false;
      break;
    }
    std::memmove(at, elsewhere, access.extent);
    memory_.written(at, access.extent, content);
    if (const Allocation* one = memory_.find(at)) after_write(one->gpu, at, access.extent);
  }
  if (is_done) return;
  compute();
  number = 0;
  for (const Access& access : accesses) {
    if (!access.is_write) continue;
    const ContentId content = derived_content(key, ++number);
    void* const at = const_cast<void*>(access.at);
    memory_.written(at, access.extent, content);
    if (access.extent <= kSmall) small_results_[content].assign(static_cast<const char*>(at), access.extent);
    if (const Allocation* one = memory_.find(at)) after_write(one->gpu, at, access.extent);
  }
}

void Machine::flip_bit(void* at, std::size_t bytes, std::uint64_t salt) {
  if (bytes == 0) return;
  const std::uint64_t where = derived_content(salt, 17);
  static_cast<unsigned char*>(at)[where % bytes] ^= static_cast<unsigned char>(1u << (where >> 40) % 8);
  memory_.written(at, bytes);
}

void Machine::after_write(int gpu, void* at, std::size_t bytes) {
  if (gpu < 0) return;
  const Fault* const stuck = fault(FaultKind::memory_stuck, gpu);
  const Fault* const coupled = fault(FaultKind::memory_coupled, gpu);
  const Fault* const rare = fault(FaultKind::memory_rare, gpu);
  if (stuck == nullptr && coupled == nullptr && rare == nullptr) return;
  // One bad place in all of its memory, so that who tests only a part of it may miss it.
  const auto place = static_cast<std::size_t>(profile_.kind.memory_simulated_bytes) / 5 * 3 / 64 * 64;
  const Allocation* one = memory_.find(at);
  if (one == nullptr || one->place > place || place + 64 > one->place + one->bytes) return;
  char* const begin = static_cast<char*>(at);
  char* const cell = one->base + (place - one->place);
  if (cell < begin || cell + 64 > begin + bytes) return;
  auto* const words = reinterpret_cast<std::uint64_t*>(cell);
  const std::uint64_t before[2] = {words[0], words[1]};
  if (stuck != nullptr) words[0] |= 1ULL << 21;
  if (coupled != nullptr) {
    const bool bit = (words[0] >> 5 & 1) != 0;
    const auto [aggressor, is_new] = aggressors_.try_emplace(gpu, bit);
    if (!is_new && aggressor->second != bit) words[1] ^= 1ULL << 5;
    aggressor->second = bit;
  }
  if (rare != nullptr && ++writes_ % 5 == 0) words[1] ^= 1ULL << 33;
  if (before[0] != words[0] || before[1] != words[1]) memory_.written(cell, 64);
}

double Machine::gaussian(std::uint64_t a, std::uint64_t b) const {
  const auto uniform = [&](std::uint64_t salt) {
    const std::uint64_t bits = derived_content(derived_content(profile_.seed * 1000003 + salt, a), b) & ((1ULL << 52) - 1);
    return (static_cast<double>(bits) + 0.5) / static_cast<double>(1ULL << 52);
  };
  return std::sqrt(-2 * std::log(uniform(1))) * std::cos(6.283185307179586 * uniform(2));
}

}  // namespace rackproof::simulator
