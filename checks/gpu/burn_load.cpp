#include "checks/gpu/burn_load.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "checks/api/keep.h"
#include "checks/gpu/cuda_wait.h"

namespace rackproof {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// On the host's clock. A window takes a tenth of a second, a period of pulses as long as it is told.
constexpr auto kPatience = 30s;
constexpr auto kPause = 50us;
constexpr std::int64_t kLookEveryNs = 100'000'000;  // sensors are no faster

bool is_over(const BurnRun& run, double seconds) {
  return run.is_lost || run.member.is_out || static_cast<double>(run.round_ns) >= seconds * 1e9;
}

}  // namespace

void BurnLoad::drop(BurnRun& run, const std::string& code, const std::string& why) {
  run.is_lost = true;
  run.member.is_out = true;
  if (code == "gpu-hung") abandon_gpu(run.member.gpu.index);
  context_.fault(run.member.gpu.id, code, run.member.gpu.id + " in " + run.setup.precision->name + ": " + why);
  // Its memory cannot be given back without waiting for what it will never finish; the process ends soon.
  keep_for_good(run.burning);
}

void BurnLoad::look(BurnRun& run) {
  if (run.round_ns - run.looked_ns < kLookEveryNs) return;
  run.looked_ns = run.round_ns;
  const GpuSensors::Look now = run.member.sensors.look();
  // Between pulses a GPU is idle when it is looked at.
  if (shape_ == LoadShape::steady && now.clock_mhz) run.clocks_mhz.push_back(*now.clock_mhz);
  if (shape_ == LoadShape::steady && now.power_w) run.powers_w.push_back(*now.power_w);
  if (!run.member.sensors.is_too_hot() || run.member.is_out) return;
  run.member.is_out = true;
  const auto degrees = [](std::optional<double> value) { return std::to_string(static_cast<int>(*value)) + " degC"; };
  const std::string text = run.member.gpu.id + " reached " + degrees(now.temperature_c) + " in " +
                           run.setup.precision->name + ", and its load was stopped (limit " +
                           degrees(run.member.sensors.limit_c()) + ")";
  context_.fault(run.member.gpu.id, "too-hot", text);
}

void BurnLoad::take(BurnRun& run) {
  const BurningGpu::Window window = run.burning->take_window(run.tally);
  for (const Sample& sample : window.samples) run.history.add(sample);
  run.flop += static_cast<double>(window.products) * run.setup.plan.flop();
  run.round_ns += window.total_ns;
  run.not_finite += window.not_finite;
  look(run);
}

void BurnLoad::run_steady(std::span<BurnRun> runs, double seconds) {
  // Two windows at a time, so that a GPU has work while the host looks at what it did.
  for (BurnRun& run : runs) {
    if (is_over(run, seconds)) continue;
    guarded(run, [&] {
      gate_.hold(run.burning->stream());
      run.burning->enqueue_window();
      run.burning->enqueue_window();
    });
  }
  gate_.open();
  std::vector<Clock::time_point> progress(runs.size(), Clock::now());
  while (true) {
    // First a look at all, and then new work for those that have ended: between the two no GPU gets ahead of the others.
    std::vector<std::size_t> busy;
    std::vector<const CudaEvent*> ends;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (runs[i].is_lost || runs[i].burning->in_flight() == 0) continue;
      busy.push_back(i);
      ends.push_back(&runs[i].burning->oldest_end());
    }
    if (busy.empty()) return;
    const std::vector<WaitResult> results = wait_for_all(ends, 0ms);
    bool has_moved = false;
    for (std::size_t n = 0; n < busy.size(); ++n) {
      BurnRun& run = runs[busy[n]];
      Clock::time_point& since = progress[busy[n]];
      if (results[n].how == Waited::failed) {
        drop(run, "gpu-lost", results[n].why);
      } else if (results[n].how == Waited::done) {
        has_moved = true;
        since = Clock::now();
        guarded(run, [&] {
          take(run);
          if (!is_over(run, seconds)) run.burning->enqueue_window();
        });
      } else if (Clock::now() - since > kPatience) {
        drop(run, "gpu-hung", "nothing ended within 30 s");
      }
    }
    if (!has_moved) std::this_thread::sleep_for(kPause);
  }
}

void BurnLoad::run_pulses(std::span<BurnRun> runs, double seconds) {
  const auto half_ns = static_cast<std::int64_t>(period_s_ * 0.5e9);
  while (std::ranges::any_of(runs, [&](const BurnRun& run) { return !is_over(run, seconds); })) {
    // All meet at the gate before each period, so that they neither drift apart nor together.
    gate_.close();
    std::vector<const CudaEvent*> ends;
    std::vector<BurnRun*> pulsed;
    for (std::size_t i = 0; i < runs.size(); ++i) {
      BurnRun& run = runs[i];
      if (is_over(run, seconds)) continue;
      const bool is_later = shape_ == LoadShape::out_of_phase && i % 2 == 1;
      guarded(run, [&] {
        gate_.hold(run.burning->stream());
        run.burning->enqueue_window(is_later ? half_ns : 0, is_later ? 0 : half_ns);
        ends.push_back(&run.burning->oldest_end());
        pulsed.push_back(&run);
      });
    }
    gate_.open();
    const auto bound = kPatience + std::chrono::milliseconds(static_cast<std::int64_t>(10'000 * period_s_));
    const std::vector<WaitResult> results =
        wait_for_all(ends, std::chrono::duration_cast<std::chrono::milliseconds>(bound));
    for (std::size_t i = 0; i < pulsed.size(); ++i) {
      if (results[i].how == Waited::done) {
        guarded(*pulsed[i], [&] { take(*pulsed[i]); });
      } else {
        const bool is_late = results[i].how == Waited::late;
        drop(*pulsed[i], is_late ? "gpu-hung" : "gpu-lost", is_late ? "a pulse did not end" : results[i].why);
      }
    }
  }
}

void BurnLoad::run(std::span<BurnRun> runs, double seconds) {
  std::vector<std::optional<double>> before;
  for (BurnRun& run : runs) {
    run.round_ns = run.looked_ns = 0;
    before.push_back(run.member.sensors.energy_j());
  }
  gate_.close();
  if (shape_ == LoadShape::steady) {
    run_steady(runs, seconds);
  } else {
    run_pulses(runs, seconds);
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    BurnRun& run = runs[i];
    if (run.is_lost) continue;
    run.load_s += static_cast<double>(run.round_ns) / 1e9;
    const std::optional<double> now = run.member.sensors.energy_j();
    if (now && before[i]) run.energy_j = run.energy_j.value_or(0) + *now - *before[i];
  }
}

}  // namespace rackproof
