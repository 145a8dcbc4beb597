#include "checks/gpu/burn_sensors.h"

#include <algorithm>

namespace rackproof {
namespace {

std::optional<Nvml> opened(Context& context) {
  std::string why_not;
  std::optional<Nvml> nvml = Nvml::open(context.sysroot(), why_not);
  if (!nvml) context.note("no clocks, power, temperatures or throttling: " + why_not);
  return nvml;
}

}  // namespace

BurnSensors::BurnSensors(Context& context) : nvml_(opened(context)) {}

std::optional<NvmlGpu> BurnSensors::of(const std::string& address) const {
  return nvml_ ? nvml_->by_pci(address).gpu : std::nullopt;
}

GpuSensors::GpuSensors(std::optional<NvmlGpu> gpu, double hottest_allowed) : gpu_(std::move(gpu)) {
  if (!gpu_) return;
  limit_c_ = hottest_allowed > 0 ? std::optional(hottest_allowed) : gpu_->threshold_c(nvml::kSlowdown);
  thermal_before_s_ = gpu_->violation_s(nvml::kThermalPolicy);
  power_before_s_ = gpu_->violation_s(nvml::kPowerPolicy);
}

GpuSensors::Look GpuSensors::look() {
  if (!gpu_) return {};
  const Look now{gpu_->sm_clock_mhz(), gpu_->power_w(), gpu_->temperature_c()};
  if (now.temperature_c) hottest_c_ = std::max(hottest_c_.value_or(*now.temperature_c), *now.temperature_c);
  return now;
}

std::optional<double> GpuSensors::energy_j() const { return gpu_ ? gpu_->energy_j() : std::nullopt; }

std::optional<double> GpuSensors::throttled_s(nvml::Policy policy) const {
  const std::optional<double> before = policy == nvml::kThermalPolicy ? thermal_before_s_ : power_before_s_;
  if (!gpu_ || !before) return std::nullopt;
  const std::optional<double> now = gpu_->violation_s(policy);
  return now ? std::optional(*now - *before) : std::nullopt;
}

}  // namespace rackproof
