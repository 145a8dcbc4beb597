// What NVML tells of GPUs while they burn. Without NVML there is a note, and none of its figures.
#pragma once

#include <optional>
#include <string>

#include "checks/api/check.h"
#include "checks/gpu/nvml.h"

namespace rackproof {

class BurnSensors {
 public:
  explicit BurnSensors(Context&);
  std::optional<NvmlGpu> of(const std::string& address) const;

 private:
  std::optional<Nvml> nvml_;
};

// Of one GPU, over the whole check.
class GpuSensors {
 public:
  // `hottest_allowed` in degC; 0: where the GPU begins to slow itself down.
  GpuSensors(std::optional<NvmlGpu>, double hottest_allowed);

  struct Look {
    std::optional<double> clock_mhz;
    std::optional<double> power_w;
    std::optional<double> temperature_c;
  };
  Look look();
  std::optional<double> energy_j() const;
  bool is_too_hot() const { return limit_c_ && hottest_c_ && *hottest_c_ >= *limit_c_; }
  std::optional<double> hottest_c() const { return hottest_c_; }
  std::optional<double> limit_c() const { return limit_c_; }
  // Since this was made.
  std::optional<double> throttled_s(nvml::Policy) const;

 private:
  std::optional<NvmlGpu> gpu_;
  std::optional<double> limit_c_;
  std::optional<double> hottest_c_;
  std::optional<double> thermal_before_s_;
  std::optional<double> power_before_s_;
};

}  // namespace rackproof
