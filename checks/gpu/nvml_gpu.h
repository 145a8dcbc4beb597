// One GPU as NVML knows it. What the GPU or the driver does not tell is nullopt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checks/gpu/nvml_abi.h"
#include "checks/gpu/nvml_entry_points.h"

namespace rackproof {

// Small, and may be copied; must not outlive its Nvml. May be asked from several threads, as NVML itself.
class NvmlGpu {
 public:
  NvmlGpu(const nvml::EntryPoints& calls, nvml::Device device) : calls_(&calls), device_(device) {}

  std::optional<std::string> name() const;
  std::optional<std::string> uuid() const;
  std::optional<std::string> serial() const;
  std::optional<std::string> board_part() const;
  std::optional<std::string> vbios() const;
  std::optional<std::string> inforom() const;
  std::optional<std::string> pci_address() const;  // as /sys has it: "0000:17:00.0"
  std::optional<std::int64_t> module() const;      // where it sits on its baseboard
  std::optional<std::int64_t> minor() const;       // of /dev/nvidiaN
  std::optional<std::int64_t> cuda_cores() const;
  std::optional<std::string> compute_capability() const;  // "9.0"

  struct Memory {
    std::int64_t total = 0;
    std::int64_t used = 0;  // with what the driver keeps for itself
  };
  std::optional<Memory> memory() const;  // bytes
  std::optional<Memory> bar1() const;

  std::optional<double> sm_clock_mhz() const;
  std::optional<double> sm_clock_max_mhz() const;
  std::optional<double> memory_clock_mhz() const;
  std::optional<double> memory_clock_max_mhz() const;
  std::optional<double> power_w() const;
  std::optional<double> power_limit_w() const;
  std::optional<double> power_limit_default_w() const;
  std::optional<double> energy_j() const;  // since the driver was loaded
  std::optional<double> temperature_c() const;
  std::optional<double> memory_temperature_c() const;
  std::optional<double> threshold_c(nvml::TemperatureThreshold) const;
  // Degrees left until the GPU slows itself down.
  std::optional<double> margin_c() const;
  std::optional<std::uint64_t> throttle_reasons() const;  // nvml::kReason…
  // Throttled for that reason, since the driver was loaded.
  std::optional<double> violation_s(nvml::Policy) const;

  std::optional<bool> persistence() const;
  std::optional<bool> mig() const;
  std::optional<std::int64_t> compute_mode() const;  // 0 default, 2 prohibited, 3 one process
  std::optional<bool> ecc() const;
  std::optional<bool> ecc_after_reset() const;
  std::optional<std::int64_t> ecc_errors(nvml::MemoryError, nvml::Lifetime) const;
  struct RemappedRows {
    std::int64_t correctable = 0;
    std::int64_t uncorrectable = 0;
    bool pending = false;
    bool failed = false;
  };
  std::optional<RemappedRows> remapped_rows() const;
  std::optional<std::int64_t> banks_without_spare() const;
  std::optional<std::int64_t> retired_pages(nvml::RetirementCause) const;
  std::optional<bool> retirement_pending() const;

  std::optional<std::int64_t> pcie_generation() const;
  std::optional<std::int64_t> pcie_generation_max() const;
  std::optional<std::int64_t> pcie_width() const;
  std::optional<std::int64_t> pcie_width_max() const;
  std::optional<std::int64_t> pcie_replays() const;
  std::optional<std::int64_t> pcie_recoveries() const;  // times the link left its working state to retrain

  std::optional<std::int64_t> nvlinks() const;  // 0 for a GPU without any
  struct Nvlink {
    std::int64_t number = 0;
    bool active = false;
    std::string remote;  // PCI address of what is at its other end; empty: not told
    std::optional<std::int64_t> version;
    std::optional<double> speed_gbs;  // each direction
    std::optional<std::int64_t> crc_flit;
    std::optional<std::int64_t> crc_data;  // from NVLink 5 on: errors that its coding could not correct
    std::optional<std::int64_t> replays;
    std::optional<std::int64_t> recoveries;

    std::int64_t errors() const;  // all kinds together
  };
  std::vector<Nvlink> each_nvlink() const;

  struct Fabric {
    std::int64_t state = 0;  // 0 not supported, 1 not started, 2 in progress, 3 completed
    nvml::Return status = 0;
  };
  std::optional<Fabric> fabric() const;

  struct Process {
    std::int64_t pid = 0;
    std::int64_t memory = 0;  // bytes; -1: not told
  };
  std::optional<std::vector<Process>> processes() const;  // that compute, directly or through MPS

  // True when the GPU has fallen off the bus: it is asked for what only the hardware knows.
  bool is_lost() const;

 private:
  std::optional<std::int64_t> field(unsigned field, unsigned scope = 0) const;
  std::optional<std::string> text(nvml::EntryPoints::Text*) const;
  std::optional<std::int64_t> number(nvml::EntryPoints::Number*) const;
  std::optional<double> milli(nvml::EntryPoints::Number*) const;
  std::optional<std::int64_t> nvlink_errors(unsigned link, nvml::NvlinkError, unsigned field, unsigned newer) const;

  const nvml::EntryPoints* calls_;
  nvml::Device device_;
};

// "0000:17:00.0": domain, bus and device as /sys writes them. NVML itself writes eight digits, in capitals.
std::string sysfs_address(const nvml::PciInfo&);

}  // namespace rackproof
