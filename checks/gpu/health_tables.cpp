// The tables of figures: what gpu.health measures of each GPU, and what gpu.counters counts.
#include "checks/gpu/health_figures.h"

namespace rackproof {
namespace {

using Value = std::optional<double>;
using Reading = const GpuReading&;

template <class Number>
Value number(const std::optional<Number>& value) {
  return value ? Value(static_cast<double>(*value)) : std::nullopt;
}

Value reason(Reading of, std::uint64_t bit) {
  return of.reasons ? Value((*of.reasons & bit) != 0 ? 1 : 0) : std::nullopt;
}

template <class Member>
Value remapped(Reading of, Member NvmlGpu::RemappedRows::*member) {
  return of.remapped ? Value(static_cast<double>((*of.remapped).*member)) : std::nullopt;
}

Value violation(Reading of, nvml::Policy policy) { return of.gpu.violation_s(policy); }

Value ecc(Reading of, nvml::MemoryError kind, nvml::Lifetime lifetime) {
  return number(of.gpu.ecc_errors(kind, lifetime));
}

Value total(const std::optional<NvmlGpu::Memory>& memory) {
  return memory ? Value(static_cast<double>(memory->total)) : std::nullopt;
}

Value used(const std::optional<NvmlGpu::Memory>& memory) {
  return memory ? Value(static_cast<double>(memory->used)) : std::nullopt;
}

// Over all links; nothing where no link tells. A GPU without links has no errors on them: that is known, not missing.
Value nvlink_sum(Reading of, std::optional<std::int64_t> NvmlGpu::Nvlink::*counter) {
  Value sum = of.gpu.nvlinks() == 0 ? Value(0) : std::nullopt;
  for (const NvmlGpu::Nvlink& link : of.nvlinks) {
    if (link.*counter) sum = sum.value_or(0) + static_cast<double>(*(link.*counter));
  }
  return sum;
}

Value nvlinks_active(Reading of) {
  const auto links = of.gpu.nvlinks();
  if (!links) return std::nullopt;
  double active = 0;
  for (const NvmlGpu::Nvlink& link : of.nvlinks) active += link.active ? 1 : 0;
  return active;
}

Value nvlink_errors(Reading of) {
  const auto links = of.gpu.nvlinks();
  if (!links) return std::nullopt;
  double sum = 0;
  for (const NvmlGpu::Nvlink& link : of.nvlinks) sum += static_cast<double>(link.errors());
  return sum;
}

Value rows_remapped(Reading of) {
  if (!of.remapped) return std::nullopt;
  return static_cast<double>(of.remapped->correctable + of.remapped->uncorrectable);
}

Value pages_retired(Reading of) {
  const auto single = of.gpu.retired_pages(nvml::kSingleBit);
  const auto twice = of.gpu.retired_pages(nvml::kDoubleBit);
  if (!single && !twice) return std::nullopt;
  return static_cast<double>(single.value_or(0) + twice.value_or(0));
}

constexpr const char* kExact = "exact";
constexpr const char* kLower = "lower";
constexpr const char* kHigher = "higher";
constexpr const char* kBound = "bound";

using namespace nvml;
using Rows = NvmlGpu::RemappedRows;
using Nvlink = NvmlGpu::Nvlink;

constexpr Figure kHealth[] = {
    {{"ecc_mode", "count", kExact, "1 where error correction is on"}, [](Reading r) { return number(r.gpu.ecc()); }},
    {{"ecc_mode_pending", "count", kExact, "the same after the next reset"},
     [](Reading r) { return number(r.gpu.ecc_after_reset()); }},
    {{"ecc_corrected_volatile", "count", kLower, "memory errors corrected since the driver was loaded"},
     [](Reading r) { return ecc(r, kCorrected, kVolatile); }},
    {{"ecc_uncorrected_volatile", "count", kLower, "memory errors not corrected since the driver was loaded"},
     [](Reading r) { return ecc(r, kUncorrected, kVolatile); }},
    {{"ecc_corrected_aggregate", "count", kLower, "memory errors corrected in the life of the board"},
     [](Reading r) { return ecc(r, kCorrected, kAggregate); }},
    {{"ecc_uncorrected_aggregate", "count", kLower, "memory errors not corrected in the life of the board"},
     [](Reading r) { return ecc(r, kUncorrected, kAggregate); }},
    {{"remapped_correctable", "count", kLower, "rows of memory replaced because of errors that were corrected"},
     [](Reading r) { return remapped(r, &Rows::correctable); }},
    {{"remapped_uncorrectable", "count", kLower, "rows of memory replaced because of errors that were not"},
     [](Reading r) { return remapped(r, &Rows::uncorrectable); }},
    {{"remap_pending", "count", kLower, "1 where a row waits for a reset to be replaced"},
     [](Reading r) { return remapped(r, &Rows::pending); }},
    {{"remap_failed", "count", kLower, "1 where a row could not be replaced"},
     [](Reading r) { return remapped(r, &Rows::failed); }},
    {{"banks_without_spare", "count", kLower, "banks of memory that have no spare row left"},
     [](Reading r) { return number(r.gpu.banks_without_spare()); }},
    {{"retired_pages_single_bit", "count", kLower, "pages retired for several corrected errors (before Ampere)"},
     [](Reading r) { return number(r.gpu.retired_pages(kSingleBit)); }},
    {{"retired_pages_double_bit", "count", kLower, "pages retired for an uncorrected error (before Ampere)"},
     [](Reading r) { return number(r.gpu.retired_pages(kDoubleBit)); }},
    {{"retired_pages_pending", "count", kLower, "1 where a page waits for a reset to be retired"},
     [](Reading r) { return number(r.gpu.retirement_pending()); }},

    {{"idle", "count", kExact, "1 where clocks are low because there is no work"},
     [](Reading r) { return reason(r, kReasonIdle); }},
    {{"throttle_sw_power_cap", "count", kLower, "1 where clocks are held down now by the power limit"},
     [](Reading r) { return reason(r, kReasonSwPowerCap); }},
    {{"throttle_sw_thermal", "count", kLower, "1 where the driver holds clocks down now for temperature"},
     [](Reading r) { return reason(r, kReasonSwThermal); }},
    {{"throttle_hw_slowdown", "count", kLower, "1 where the hardware at least halves clocks now, for any reason"},
     [](Reading r) { return reason(r, kReasonHwSlowdown); }},
    {{"throttle_hw_thermal", "count", kLower, "1 where the hardware at least halves clocks now for temperature"},
     [](Reading r) { return reason(r, kReasonHwThermal); }},
    {{"throttle_power_brake", "count", kLower, "1 where the system's power supply asks for at least halved clocks now"},
     [](Reading r) { return reason(r, kReasonHwPowerBrake); }},
    {{"throttle_sync_boost", "count", kLower, "1 where clocks wait now for another GPU of a group"},
     [](Reading r) { return reason(r, kReasonSyncBoost); }},
    {{"throttle_application_clocks", "count", kLower, "1 where clocks are held down now by a setting"},
     [](Reading r) { return reason(r, kReasonApplicationClocks); }},
    {{"throttle_display_clocks", "count", kLower, "1 where clocks are held down now by a display"},
     [](Reading r) { return reason(r, kReasonDisplayClocks); }},
    {{"violation_power", "s", kLower, "how long the power limit held clocks down since the driver was loaded"},
     [](Reading r) { return violation(r, kPowerPolicy); }},
    {{"violation_thermal", "s", kLower, "how long temperature did"},
     [](Reading r) { return violation(r, kThermalPolicy); }},
    {{"violation_sync_boost", "s", kLower, "how long another GPU of a group did"},
     [](Reading r) { return violation(r, kSyncBoostPolicy); }},
    {{"violation_board_limit", "s", kLower, "how long a limit of the board did"},
     [](Reading r) { return violation(r, kBoardLimitPolicy); }},
    {{"violation_reliability", "s", kLower, "how long the limit of voltage for reliability did"},
     [](Reading r) { return violation(r, kReliabilityPolicy); }},
    {{"violation_low_utilization", "s", kLower, "how long want of work did"},
     [](Reading r) { return violation(r, kLowUtilizationPolicy); }},

    {{"sm_clock", "MHz", kHigher, "clock of the multiprocessors now"}, [](Reading r) { return r.gpu.sm_clock_mhz(); }},
    {{"sm_clock_max", "MHz", kBound, "the highest it can be"}, [](Reading r) { return r.gpu.sm_clock_max_mhz(); }},
    {{"memory_clock", "MHz", kHigher, "clock of the memory now"}, [](Reading r) { return r.gpu.memory_clock_mhz(); }},
    {{"memory_clock_max", "MHz", kBound, "the highest it can be"},
     [](Reading r) { return r.gpu.memory_clock_max_mhz(); }},
    {{"power", "W", kLower, "power drawn now"}, [](Reading r) { return r.gpu.power_w(); }},
    {{"power_limit", "W", kExact, "power limit that is set"}, [](Reading r) { return r.gpu.power_limit_w(); }},
    {{"power_limit_default", "W", kExact, "power limit that the board starts with"},
     [](Reading r) { return r.gpu.power_limit_default_w(); }},
    {{"temperature", "degC", kLower, "of the GPU"}, [](Reading r) { return r.gpu.temperature_c(); }},
    {{"memory_temperature", "degC", kLower, "of its memory"}, [](Reading r) { return r.gpu.memory_temperature_c(); }},
    {{"temperature_slowdown", "degC", kBound, "temperature at which the hardware slows down"},
     [](Reading r) { return r.gpu.threshold_c(kSlowdown); }},
    {{"temperature_margin", "degC", kHigher, "degrees left until it slows down"},
     [](Reading r) { return r.gpu.margin_c(); }},

    {{"persistence", "count", kExact, "1 where the driver stays loaded without a client"},
     [](Reading r) { return number(r.gpu.persistence()); }},
    {{"mig", "count", kExact, "1 where the GPU is cut into instances"}, [](Reading r) { return number(r.gpu.mig()); }},
    {{"compute_mode", "count", kExact, "0 for everybody, 2 for nobody, 3 for one process"},
     [](Reading r) { return number(r.gpu.compute_mode()); }},
    {{"memory", "B", kBound, "memory of the GPU"},
     [](Reading r) { return total(r.gpu.memory()); }},
    {{"memory_used", "B", kLower, "memory that is taken, with what the driver keeps"},
     [](Reading r) { return used(r.gpu.memory()); }},
    {{"bar1", "B", kBound, "window through which others on PCIe reach its memory"},
     [](Reading r) { return total(r.gpu.bar1()); }},
    {{"bar1_used", "B", kLower, "how much of that is mapped"},
     [](Reading r) { return used(r.gpu.bar1()); }},
    {{"processes", "count", kLower, "processes that compute on it"},
     [](Reading r) {
       const auto processes = r.gpu.processes();
       return processes ? Value(static_cast<double>(processes->size())) : std::nullopt;
     }},

    {{"pcie_generation", "count", kHigher, "generation of its PCIe link now, which may be lower while it is idle"},
     [](Reading r) { return number(r.gpu.pcie_generation()); }},
    {{"pcie_generation_max", "count", kBound, "the highest that GPU and slot can do"},
     [](Reading r) { return number(r.gpu.pcie_generation_max()); }},
    {{"pcie_width", "lanes", kHigher, "lanes of its PCIe link now"},
     [](Reading r) { return number(r.gpu.pcie_width()); }},
    {{"pcie_width_max", "lanes", kBound, "the most that GPU and slot can do"},
     [](Reading r) { return number(r.gpu.pcie_width_max()); }},
    {{"pcie_replay_count", "count", kLower, "packets that had to be sent again over PCIe, since the driver was loaded"},
     [](Reading r) { return number(r.gpu.pcie_replays()); }},
    {{"pcie_recovery_count", "count", kLower, "times the PCIe link went to retrain"},
     [](Reading r) { return number(r.gpu.pcie_recoveries()); }},
    {{"nvlinks", "count", kBound, "NVLinks that it has"}, [](Reading r) { return number(r.gpu.nvlinks()); }},
    {{"nvlinks_active", "count", kHigher, "NVLinks that are up"}, nvlinks_active},
    {{"nvlink_crc_flit", "count", kLower, "checksum errors of flow control, over all links"},
     [](Reading r) { return nvlink_sum(r, &Nvlink::crc_flit); }},
    {{"nvlink_crc_data", "count", kLower, "checksum errors of data, over all links"},
     [](Reading r) { return nvlink_sum(r, &Nvlink::crc_data); }},
    {{"nvlink_replays", "count", kLower, "packets sent again, over all links"},
     [](Reading r) { return nvlink_sum(r, &Nvlink::replays); }},
    {{"nvlink_recoveries", "count", kLower, "times a link retrained, over all links"},
     [](Reading r) { return nvlink_sum(r, &Nvlink::recoveries); }},
    {{"fabric_state", "count", kExact, "joining the NVLink fabric: 0 has none, 1 not begun, 2 under way, 3 done"},
     [](Reading r) { const auto f = r.gpu.fabric(); return f ? Value(static_cast<double>(f->state)) : std::nullopt; }},
    {{"fabric_error", "count", kExact, "how that ended, as NVML's error number; 0 is none"},
     [](Reading r) {
       const auto f = r.gpu.fabric();
       // Before it is done there is no result to speak of.
       return f && f->state == 3 ? Value(f->status) : std::nullopt;
     }},
};

constexpr Figure kCounters[] = {
    {{"ecc_corrected", "count", kLower, "memory errors that were corrected"},
     [](Reading r) { return ecc(r, kCorrected, kVolatile); }},
    {{"ecc_uncorrected", "count", kLower, "memory errors that were not"},
     [](Reading r) { return ecc(r, kUncorrected, kVolatile); }},
    {{"rows_remapped", "count", kLower, "rows of memory replaced by spare ones"}, rows_remapped},
    {{"pages_retired", "count", kLower, "pages of memory retired (before Ampere)"}, pages_retired},
    {{"pcie_replays", "count", kLower, "packets sent again over PCIe"},
     [](Reading r) { return number(r.gpu.pcie_replays()); }},
    {{"nvlink_errors", "count", kLower, "checksum errors, replays and recoveries over all its NVLinks"}, nvlink_errors},
    {{"thermal_time", "s", kLower, "how long temperature held clocks down"},
     [](Reading r) { return violation(r, kThermalPolicy); }},
    {{"power_time", "s", kLower, "how long the power limit held clocks down"},
     [](Reading r) { return violation(r, kPowerPolicy); }},
};

}  // namespace

std::span<const Figure> health_figures() { return kHealth; }
std::span<const Figure> counter_figures() { return kCounters; }

}  // namespace rackproof
