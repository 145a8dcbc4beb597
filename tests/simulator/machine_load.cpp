// What work does to a simulated GPU besides its result: power, warmth, clocks, and the errors that rise under load.
#include <algorithm>
#include <cmath>

#include "tests/simulator/machine.h"
#include "tests/simulator/node_files.h"

namespace rackproof::simulator {
namespace {

constexpr double kWarmsWithinNs = 20e9;
constexpr double kThrottledSpeed = 0.6;

// Of what lies between idle and the power limit.
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

bool Machine::is_throttled(FaultKind kind, int gpu) const {
  const Fault* const one = fault(kind, gpu);
  return one != nullptr && static_cast<double>(state_.gpus[gpu].busy_ns) >= one->after_s * 1e9;
}

double Machine::slowness(int gpu) const {
  const bool is_held_down =
      is_throttled(FaultKind::throttle_thermal, gpu) || is_throttled(FaultKind::throttle_power, gpu);
  double speed = is_held_down ? kThrottledSpeed : 1;
  if (const Fault* f = fault(FaultKind::slow, gpu)) speed *= 1 - f->amount / 100;
  return 1 / speed;
}

void Machine::set_load(Work& work, int gpu, Load load) const {
  work.gpu = gpu;
  work.load = static_cast<int>(load);
}

double Machine::warm(std::size_t gpu, Load load, double busy_ns, double idle_ns) {
  const GpuKind& kind = profile_.kind;
  const double settles_at = (kind.load_c - kind.idle_c) * share_of(load) / share_of(Load::arithmetic);
  warmth_[gpu] *= std::exp(-idle_ns / kWarmsWithinNs);
  warmth_[gpu] += (settles_at - warmth_[gpu]) * -std::expm1(-busy_ns / kWarmsWithinNs);
  return kind.idle_c + warmth_[gpu];
}

// Energy is counted in whole millijoules; what is left over waits for the next time.
void Machine::count_energy(int gpu, double millijoule) {
  double& rest = energy_rest_mj_[static_cast<std::size_t>(gpu)];
  rest += millijoule;
  state_.gpus[gpu].energy_mj += static_cast<std::int64_t>(rest);
  rest -= std::floor(rest);
}

void Machine::count_link_errors(const Work& work) {
  // Once for every so many bytes that were copied, so that a short step sees some too.
  constexpr double kBytesOfLinkError = 64e6;
  if (static_cast<Load>(work.load) != Load::copy || fault(FaultKind::link_errors, work.gpu) == nullptr) return;
  const auto i = static_cast<std::size_t>(work.gpu);
  copied_[i] += work.amount;
  const auto errors = static_cast<std::int64_t>(copied_[i] / kBytesOfLinkError);
  copied_[i] -= static_cast<double>(errors) * kBytesOfLinkError;
  state_.gpus[work.gpu].replays += errors;
  if (errors > 0) count_corrected_errors(folder_, profile_.gpus[i].address, errors);
}

void Machine::count_errors(int gpu, std::int64_t busy_ns) {
  // One event in every 100 ms of work, so that a step of a second sees some.
  constexpr std::int64_t kEvery = 100'000'000;
  GpuState& state = state_.gpus[gpu];
  const std::int64_t events = state.busy_ns / kEvery - (state.busy_ns - busy_ns) / kEvery;
  if (events == 0) return;
  if (fault(FaultKind::ecc_corrected, gpu) != nullptr) state.ecc_corrected += events;
  if (fault(FaultKind::ecc_uncorrected, gpu) != nullptr) state.ecc_uncorrected += events;
  if (fault(FaultKind::remap_rising, gpu) != nullptr) state.rows_remapped += events;
  if (fault(FaultKind::link_errors, gpu) != nullptr) state.replays += events;
  for (const Fault& one : faults_) {
    if (one.kind == FaultKind::nvlink_errors && one.target == gpu) state.nvlink_errors[one.index] += events;
  }
}

void Machine::account(const Work& work, double from_ns, double to_ns) {
  if (work.gpu < 0) return;
  const auto i = static_cast<std::size_t>(work.gpu);
  GpuState& state = state_.gpus[work.gpu];
  const GpuKind& kind = profile_.kind;
  const auto load = static_cast<Load>(work.load);
  const double busy_ns = std::max(0.0, to_ns - std::max(from_ns, busy_until_[i]));
  const double idle_ns = std::max(0.0, from_ns - busy_until_[i]);
  const auto whole_busy_ns = static_cast<std::int64_t>(busy_ns);
  busy_until_[i] = std::max(busy_until_[i], to_ns);
  if (load != Load::idle) state.busy_ns += whole_busy_ns;
  const double power = kind.idle_w + (kind.limit_w - kind.idle_w) * share_of(load);
  count_energy(work.gpu, (power * busy_ns + kind.idle_w * idle_ns) / 1e6);

  double temperature = warm(i, load, busy_ns, idle_ns);
  const bool is_held_down = load == Load::memory || load == Load::arithmetic;
  std::int64_t throttled = 0;
  if (is_held_down && is_throttled(FaultKind::throttle_thermal, work.gpu)) {
    throttled = 1;
    state.thermal_ns += whole_busy_ns;
    temperature = kind.slowdown_c + 1;
  }
  if (is_held_down && is_throttled(FaultKind::throttle_power, work.gpu)) {
    throttled = 2;
    state.power_ns += whole_busy_ns;
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
  count_link_errors(work);
  if (load != Load::idle) count_errors(work.gpu, whole_busy_ns);
}

}  // namespace rackproof::simulator
