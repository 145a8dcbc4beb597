// What a simulated node remembers from one process to the next: counters that only rise, and how warm each GPU is. A file
// in the simulation's folder, mapped by every stand-in; NVML tells from it what CUDA did.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace rackproof::simulator {

inline constexpr int kMostGpus = 16;
inline constexpr int kMostNvlinks = 18;

struct GpuState {
  std::atomic<std::int64_t> busy_ns;          // of device time in which it worked
  std::atomic<std::int64_t> energy_mj;
  std::atomic<std::int64_t> ecc_corrected;    // since the driver was loaded
  std::atomic<std::int64_t> ecc_uncorrected;
  std::atomic<std::int64_t> rows_remapped;
  std::atomic<std::int64_t> replays;          // of its PCIe link
  std::atomic<std::int64_t> thermal_ns;       // throttled for that reason
  std::atomic<std::int64_t> power_ns;
  std::atomic<std::int64_t> nvlink_errors[kMostNvlinks];
  std::atomic<std::int64_t> lost;             // 1: fell off the bus
  // Now, in the process that computes; NVML of another process sees the last that was written.
  std::atomic<std::int64_t> temperature_mc;   // 1/1000 degC; 0: as when idle
  std::atomic<std::int64_t> power_mw;         // 0: idle
  std::atomic<std::int64_t> clock_khz;        // 0: idle
  std::atomic<std::int64_t> throttled;        // 1 thermal, 2 power, 0 not at all
};

struct SharedState {
  GpuState gpus[kMostGpus];
};

// Makes the file when it is not there. Throws std::runtime_error.
SharedState& map_shared_state(const std::string& folder);

}  // namespace rackproof::simulator
