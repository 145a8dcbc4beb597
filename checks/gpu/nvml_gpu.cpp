#include "checks/gpu/nvml_gpu.h"

#include <algorithm>
#include <cstdio>

namespace rackproof {
namespace {

using namespace nvml;

template <class Raw>
std::optional<NvmlGpu::Memory> memory_of(Return (*call)(Device, Raw*), Device device) {
  Raw raw{};
  if (ask(call, device, &raw) != kSuccess) return std::nullopt;
  return NvmlGpu::Memory{static_cast<std::int64_t>(raw.total), static_cast<std::int64_t>(raw.used)};
}

std::optional<double> clock_of(Return (*call)(Device, Clock, unsigned*), Device device, Clock which) {
  unsigned mhz = 0;
  return ask(call, device, which, &mhz) == kSuccess ? std::optional<double>(mhz) : std::nullopt;
}

std::optional<bool> flag(std::optional<std::int64_t> number) {
  return number ? std::optional(*number != 0) : std::nullopt;
}

}  // namespace

std::string sysfs_address(const PciInfo& info) {
  char text[32];
  std::snprintf(text, sizeof text, "%04x:%02x:%02x.0", info.domain, info.bus, info.device);
  return text;
}

std::optional<std::string> NvmlGpu::text(EntryPoints::Text* call) const {
  char text[kMostText] = {};
  if (ask(call, device_, text, static_cast<unsigned>(sizeof text)) != kSuccess) return std::nullopt;
  text[sizeof text - 1] = '\0';
  return text;
}

std::optional<std::int64_t> NvmlGpu::number(EntryPoints::Number* call) const {
  unsigned value = 0;
  return ask(call, device_, &value) == kSuccess ? std::optional<std::int64_t>(value) : std::nullopt;
}

std::optional<double> NvmlGpu::milli(EntryPoints::Number* call) const {
  const auto value = number(call);
  return value ? std::optional(static_cast<double>(*value) / 1000) : std::nullopt;
}

std::optional<std::int64_t> NvmlGpu::field(unsigned which, unsigned scope) const {
  FieldValue asked{};
  asked.field = which;
  asked.scope = scope;
  if (ask(calls_->fields, device_, 1, &asked) != kSuccess || asked.result != kSuccess) return std::nullopt;
  switch (asked.type) {
    case kDouble: return static_cast<std::int64_t>(asked.value.real);
    case kUnsigned: return asked.value.unsigned_int;
    case kUnsignedLong: return static_cast<std::int64_t>(asked.value.unsigned_long);
    case kUnsignedLongLong: return static_cast<std::int64_t>(asked.value.unsigned_long_long);
    case kSignedLongLong: return asked.value.signed_long_long;
    case kSigned: return asked.value.signed_int;
  }
  return std::nullopt;
}

std::optional<std::string> NvmlGpu::name() const { return text(calls_->name); }
std::optional<std::string> NvmlGpu::uuid() const { return text(calls_->uuid); }
std::optional<std::string> NvmlGpu::serial() const { return text(calls_->serial); }
std::optional<std::string> NvmlGpu::board_part() const { return text(calls_->board_part); }
std::optional<std::string> NvmlGpu::vbios() const { return text(calls_->vbios); }
std::optional<std::string> NvmlGpu::inforom() const { return text(calls_->inforom); }
std::optional<std::int64_t> NvmlGpu::module() const { return number(calls_->module); }
std::optional<std::int64_t> NvmlGpu::minor() const { return number(calls_->minor); }
std::optional<std::int64_t> NvmlGpu::cuda_cores() const { return number(calls_->cores); }

std::optional<std::string> NvmlGpu::pci_address() const {
  PciInfo info{};
  return ask(calls_->pci, device_, &info) == kSuccess ? std::optional(sysfs_address(info)) : std::nullopt;
}

std::optional<std::string> NvmlGpu::compute_capability() const {
  int major = 0;
  int minor = 0;
  if (ask(calls_->compute_capability, device_, &major, &minor) != kSuccess) return std::nullopt;
  return std::to_string(major) + "." + std::to_string(minor);
}

std::optional<NvmlGpu::Memory> NvmlGpu::memory() const { return memory_of(calls_->memory, device_); }
std::optional<NvmlGpu::Memory> NvmlGpu::bar1() const { return memory_of(calls_->bar1, device_); }

std::optional<double> NvmlGpu::sm_clock_mhz() const { return clock_of(calls_->clock, device_, kSmClock); }
std::optional<double> NvmlGpu::sm_clock_max_mhz() const { return clock_of(calls_->clock_max, device_, kSmClock); }
std::optional<double> NvmlGpu::memory_clock_mhz() const { return clock_of(calls_->clock, device_, kMemoryClock); }
std::optional<double> NvmlGpu::memory_clock_max_mhz() const {
  return clock_of(calls_->clock_max, device_, kMemoryClock);
}

std::optional<double> NvmlGpu::power_w() const { return milli(calls_->power); }
std::optional<double> NvmlGpu::power_limit_w() const { return milli(calls_->power_limit); }
std::optional<double> NvmlGpu::power_limit_default_w() const { return milli(calls_->power_limit_default); }

std::optional<double> NvmlGpu::energy_j() const {
  unsigned long long mj = 0;
  if (ask(calls_->energy, device_, &mj) != kSuccess) return std::nullopt;
  return static_cast<double>(mj) / 1000;
}

std::optional<double> NvmlGpu::temperature_c() const {
  unsigned degrees = 0;
  constexpr unsigned kOnDie = 0;
  return ask(calls_->temperature, device_, kOnDie, &degrees) == kSuccess ? std::optional<double>(degrees)
                                                                         : std::nullopt;
}

std::optional<double> NvmlGpu::memory_temperature_c() const {
  const auto degrees = field(kFieldMemoryTemperature);
  // 0: without a sensor.
  return degrees.value_or(0) == 0 ? std::nullopt : std::optional(static_cast<double>(*degrees));
}

std::optional<double> NvmlGpu::threshold_c(TemperatureThreshold which) const {
  unsigned degrees = 0;
  if (ask(calls_->temperature_threshold, device_, which, &degrees) != kSuccess || degrees == 0) return std::nullopt;
  return degrees;
}

std::optional<double> NvmlGpu::margin_c() const {
  MarginTemperature margin{kMarginVersion, 0};
  if (ask(calls_->temperature_margin, device_, &margin) == kSuccess) return margin.degrees;
  const auto now = temperature_c();
  const auto slowdown = threshold_c(kSlowdown);
  return now && slowdown ? std::optional(*slowdown - *now) : std::nullopt;
}

std::optional<std::uint64_t> NvmlGpu::throttle_reasons() const {
  unsigned long long reasons = 0;
  return ask(calls_->throttle_reasons, device_, &reasons) == kSuccess ? std::optional<std::uint64_t>(reasons)
                                                                      : std::nullopt;
}

std::optional<double> NvmlGpu::violation_s(Policy policy) const {
  ViolationTime time{};
  if (ask(calls_->violation, device_, policy, &time) != kSuccess) return std::nullopt;
  return static_cast<double>(time.violation_ns) / 1e9;
}

std::optional<bool> NvmlGpu::persistence() const { return flag(number(calls_->persistence)); }
std::optional<std::int64_t> NvmlGpu::compute_mode() const { return number(calls_->compute_mode); }

std::optional<bool> NvmlGpu::mig() const {
  unsigned now = 0;
  unsigned later = 0;
  return ask(calls_->mig, device_, &now, &later) == kSuccess ? std::optional(now != 0) : std::nullopt;
}

std::optional<std::vector<NvmlGpu::Process>> NvmlGpu::processes() const {
  std::vector<Process> found;
  bool is_known = false;
  for (auto* call : {calls_->compute_processes, calls_->mps_processes}) {
    // Processes may come while we ask; those beyond this many are not named.
    constexpr unsigned kMost = 256;
    std::vector<nvml::Process> raw(kMost);
    unsigned count = kMost;
    const Return code = ask(call, device_, &count, raw.data());
    if (code != kSuccess && code != kInsufficientSize) continue;
    is_known = true;
    for (unsigned i = 0; i < std::min(count, kMost); ++i) {
      const bool is_again = std::ranges::count(found, static_cast<std::int64_t>(raw[i].pid), &Process::pid) > 0;
      // All ones: not told.
      if (!is_again) found.push_back({raw[i].pid, static_cast<std::int64_t>(raw[i].memory)});
    }
  }
  return is_known ? std::optional(std::move(found)) : std::nullopt;
}

bool NvmlGpu::is_lost() const {
  unsigned value = 0;
  constexpr unsigned kOnDie = 0;
  return ask(calls_->temperature, device_, kOnDie, &value) == kGpuIsLost ||
         ask(calls_->pcie_width, device_, &value) == kGpuIsLost || ask(calls_->power, device_, &value) == kGpuIsLost;
}

}  // namespace rackproof
