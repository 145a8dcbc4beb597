// Stand-in for libnvidia-ml.so.1: memory, clocks, power, temperature, throttling, settings, processes.
#include "tests/simulator/nvml_node.h"

using namespace rackproof::nvml;
using namespace rackproof::simulator;

namespace {

constexpr std::int64_t kDriverKeeps = 600ll << 20;   // of each GPU's memory, with nothing running
constexpr std::int64_t kProcessTakes = 2ll << 30;    // somebody else's, by the fault "process"
constexpr unsigned kForeignPid = 4242;
constexpr double kFullShare = 0.97;  // of the memory, by the fault "memory full"
constexpr double kMemoryWarmer = 8;  // degC above the die
constexpr double kGpuMaximumBelowSlowdown = 2;
constexpr std::int64_t kThermal = 1;
constexpr std::int64_t kPower = 2;

bool is_busy(const GpuState& state) { return state.clock_khz != 0; }

double temperature(const NvmlNode& node, int number) {
  const std::int64_t milli = node.state(number).temperature_mc;
  return milli == 0 ? node.kind().idle_c : static_cast<double>(milli) / 1000;
}

std::int64_t foreign_memory(const NvmlNode& node, int number) {
  if (node.has(FaultKind::memory_full, number)) {
    return static_cast<std::int64_t>(static_cast<double>(node.kind().memory_bytes) * kFullShare) - kDriverKeeps;
  }
  return node.has(FaultKind::other_process, number) ? kProcessTakes : 0;
}

}  // namespace

RACKPROOF_NVML nvmlDeviceGetMemoryInfo(Device device, Memory* memory) {
  int number = -1;
  if (const Return code = to_number(device, number); code != kSuccess) return code;
  const auto total = static_cast<unsigned long long>(nvml_node()->kind().memory_bytes);
  const auto used = static_cast<unsigned long long>(kDriverKeeps + foreign_memory(*nvml_node(), number));
  return answer(device, memory, [&](const NvmlNode&, int) { return Memory{total, total - used, used}; });
}

RACKPROOF_NVML nvmlDeviceGetBAR1MemoryInfo(Device device, Bar1Memory* memory) {
  return answer(device, memory, [](const NvmlNode& node, int) {
    // The power of two that holds all of the memory, as on boards with a full BAR.
    unsigned long long total = 1ull << 30;
    while (total < static_cast<unsigned long long>(node.kind().memory_bytes)) total *= 2;
    constexpr unsigned long long kUsed = 1ull << 20;
    return Bar1Memory{total, total - kUsed, kUsed};
  });
}

RACKPROOF_NVML nvmlDeviceGetClockInfo(Device device, Clock which, unsigned* mhz) {
  return answer(device, mhz, [which](const NvmlNode& node, int number) {
    const GpuState& state = node.state(number);
    if (which == kMemoryClock) return node.kind().memory_clock_mhz;
    return is_busy(state) ? static_cast<double>(state.clock_khz) / 1000 : node.kind().idle_clock_mhz;
  });
}

RACKPROOF_NVML nvmlDeviceGetMaxClockInfo(Device device, Clock which, unsigned* mhz) {
  return answer(device, mhz, [which](const NvmlNode& node, int) {
    return which == kMemoryClock ? node.kind().memory_clock_mhz : node.kind().sm_clock_mhz;
  });
}

RACKPROOF_NVML nvmlDeviceGetPowerUsage(Device device, unsigned* milliwatts) {
  return answer(device, milliwatts, [](const NvmlNode& node, int number) {
    const std::int64_t now = node.state(number).power_mw;
    return now == 0 ? node.kind().idle_w * 1000 : static_cast<double>(now);
  });
}

RACKPROOF_NVML nvmlDeviceGetPowerManagementLimit(Device device, unsigned* milliwatts) {
  return answer(device, milliwatts, [](const NvmlNode& node, int) { return node.kind().limit_w * 1000; });
}

RACKPROOF_NVML nvmlDeviceGetPowerManagementDefaultLimit(Device device, unsigned* milliwatts) {
  return answer(device, milliwatts, [](const NvmlNode& node, int) { return node.kind().limit_w * 1000; });
}

RACKPROOF_NVML nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long* millijoules) {
  return answer(device, millijoules,
                [](const NvmlNode& node, int number) { return node.state(number).energy_mj.load(); });
}

RACKPROOF_NVML nvmlDeviceGetTemperature(Device device, unsigned, unsigned* degrees) {
  return answer(device, degrees, temperature);
}

RACKPROOF_NVML nvmlDeviceGetTemperatureThreshold(Device device, TemperatureThreshold which, unsigned* degrees) {
  if (which > kGpuMaximum) return kInvalidArgument;
  return answer(device, degrees, [which](const NvmlNode& node, int) {
    switch (which) {
      case kShutdown: return node.kind().shutdown_c;
      case kSlowdown: return node.kind().slowdown_c;
      case kMemoryMaximum: return node.kind().slowdown_c + kMemoryWarmer;
      case kGpuMaximum: break;
    }
    return node.kind().slowdown_c - kGpuMaximumBelowSlowdown;
  });
}

RACKPROOF_NVML nvmlDeviceGetMarginTemperature(Device device, MarginTemperature* margin) {
  if (margin == nullptr) return kInvalidArgument;
  if (margin->version != kMarginVersion) return kVersionMismatch;
  return answer(device, margin, [](const NvmlNode& node, int number) {
    return MarginTemperature{kMarginVersion, static_cast<int>(node.kind().slowdown_c - temperature(node, number))};
  });
}

RACKPROOF_NVML nvmlDeviceGetCurrentClocksThrottleReasons(Device device, unsigned long long* reasons) {
  return answer(device, reasons, [](const NvmlNode& node, int number) {
    const GpuState& state = node.state(number);
    if (!is_busy(state)) return kReasonIdle;
    if (state.throttled == kThermal) return kReasonHwSlowdown | kReasonHwThermal | kReasonSwThermal;
    return state.throttled == kPower ? kReasonSwPowerCap : 0ull;
  });
}

RACKPROOF_NVML nvmlDeviceGetViolationStatus(Device device, Policy policy, ViolationTime* time) {
  return answer(device, time, [policy](const NvmlNode& node, int number) {
    const GpuState& state = node.state(number);
    const std::int64_t ns = policy == kThermalPolicy ? state.thermal_ns.load()
                            : policy == kPowerPolicy ? state.power_ns.load()
                                                     : 0;
    return ViolationTime{static_cast<unsigned long long>(state.busy_ns.load()) / 1000,
                         static_cast<unsigned long long>(ns)};
  });
}

RACKPROOF_NVML nvmlDeviceGetPersistenceMode(Device device, unsigned* on) {
  return answer(device, on, [](const NvmlNode&, int) { return 1; });
}

RACKPROOF_NVML nvmlDeviceGetComputeMode(Device device, unsigned* mode) {
  return answer(device, mode, [](const NvmlNode&, int) { return 0; });
}

RACKPROOF_NVML nvmlDeviceGetMigMode(Device device, unsigned* now, unsigned* later) {
  const Return code = answer(device, now, [](const NvmlNode&, int) { return 0; });
  return code == kSuccess ? answer(device, later, [](const NvmlNode&, int) { return 0; }) : code;
}

RACKPROOF_NVML nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned* count, Process* processes) {
  int number = -1;
  if (const Return code = to_number(device, number); code != kSuccess) return code;
  if (count == nullptr) return kInvalidArgument;
  const std::int64_t taken = foreign_memory(*nvml_node(), number);
  const unsigned room = *count;
  *count = taken == 0 ? 0 : 1;
  if (taken == 0) return kSuccess;
  if (room == 0) return kInsufficientSize;
  constexpr unsigned kNoInstance = 0xffffffff;
  processes[0] = {kForeignPid, static_cast<unsigned long long>(taken), kNoInstance, kNoInstance};
  return kSuccess;
}

RACKPROOF_NVML nvmlDeviceGetMPSComputeRunningProcesses_v3(Device device, unsigned* count, Process*) {
  return answer(device, count, [](const NvmlNode&, int) { return 0; });
}
