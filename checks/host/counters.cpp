// host.counters: error counters of the machine that only ever rise. Read before and after another check, their
// differences say what went wrong meanwhile.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/pci.h"
#include "checks/host/sysfs_devices.h"

namespace rackproof {
namespace {

struct Counter {
  const char* metric;
  const char* file;          // below the device's folder
  std::int64_t largest = 0;  // where the hardware stops counting; 0: never in practice
};

// Widths of the PortCounters attribute, which the kernel asks for (drivers/infiniband/core/sysfs.c).
constexpr std::int64_t k4Bits = 15;
constexpr std::int64_t k8Bits = 255;
constexpr std::int64_t k16Bits = 65535;

constexpr Counter kIbCounters[] = {
    {"ib_symbol_errors", "counters/symbol_error", k16Bits},
    {"ib_link_recoveries", "counters/link_error_recovery", k8Bits},
    {"ib_link_downed", "counters/link_downed", k8Bits},
    {"ib_receive_errors", "counters/port_rcv_errors", k16Bits},
    {"ib_remote_physical_errors", "counters/port_rcv_remote_physical_errors", k16Bits},
    {"ib_transmit_discards", "counters/port_xmit_discards", k16Bits},
    {"ib_link_integrity_errors", "counters/local_link_integrity_errors", k4Bits},
    {"ib_buffer_overruns", "counters/excessive_buffer_overrun_errors", k4Bits},
    {"ib_out_of_sequence", "hw_counters/out_of_sequence"},
    {"ib_ack_timeouts", "hw_counters/local_ack_timeout_err"},
    {"ib_sequence_errors", "hw_counters/packet_seq_err"},
    {"ib_rnr_retries", "hw_counters/rnr_nak_retry_err"},
};

constexpr Counter kNetCounters[] = {
    {"net_receive_errors", "statistics/rx_errors"},   {"net_transmit_errors", "statistics/tx_errors"},
    {"net_receive_drops", "statistics/rx_dropped"},   {"net_transmit_drops", "statistics/tx_dropped"},
    {"net_receive_missed", "statistics/rx_missed_errors"}, {"net_carrier_changes", "carrier_changes"},
};

constexpr Counter kEdacCounters[] = {
    {"edac_correctable", "ce_count"},
    {"edac_uncorrectable", "ue_count"},
};

constexpr Counter kThrottleCounters[] = {
    {"core_throttles", "thermal_throttle/core_throttle_count"},
    {"core_throttle_time", "thermal_throttle/core_throttle_total_time_ms"},
    {"package_throttles", "thermal_throttle/package_throttle_count"},
    {"package_throttle_time", "thermal_throttle/package_throttle_total_time_ms"},
};

constexpr Counter kAerCounters[] = {
    {"aer_correctable", "aer_dev_correctable"},
    {"aer_nonfatal", "aer_dev_nonfatal"},
    {"aer_fatal", "aer_dev_fatal"},
};

// What no layer below put right: on a healthy machine none of these moves, whatever it is doing.
constexpr std::string_view kUncorrected[] = {"aer_nonfatal",       "aer_fatal",           "edac_uncorrectable",
                                             "net_receive_errors", "net_transmit_errors", "ib_link_downed",
                                             "ib_receive_errors",  "ib_link_integrity_errors"};

using Reading = std::pair<const char*, std::int64_t>;

// "RxErr 0\nBadTLP 3\n…\nTOTAL_ERR_COR 3". One message may tell of several errors, so the total, which counts
// messages, need not be the sum of the lines above it.
std::optional<std::int64_t> aer_total(std::string_view text) {
  const std::size_t total = text.rfind("TOTAL_ERR_");
  if (total == text.npos) return std::nullopt;
  const std::size_t blank = text.find(' ', total);
  if (blank == text.npos) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data() + blank + 1, text.data() + text.size(), number);
  return code == std::errc{} ? std::optional(number) : std::nullopt;
}

class Counters {
 public:
  explicit Counters(Context& context) : context_(context), root_(context.sysroot()) {}

  void read_pci() {
    for (const PciDevice& device : pci_devices(root_)) {
      std::vector<Reading> readings;
      for (const Counter& counter : kAerCounters) {
        const auto text = root_.text(pci_attribute(device.address, counter.file));
        if (!text) continue;
        if (const auto total = aer_total(*text)) readings.emplace_back(counter.metric, *total);
      }
      report({.id = pci_id(device.address),
              .kind = device.kind,
              .name = {},
              .parent = pci_parent_id(device),
              .facts = {}},
             readings);
    }
  }

  void read_edac() {
    for (const std::string& name : root_.list("/sys/devices/system/edac/mc")) {
      const Device device{.id = "edac:" + name, .kind = "memory-controller", .name = name, .parent = "machine",
                          .facts = {}};
      report(device, read(device, "/sys/devices/system/edac/mc/" + name, kEdacCounters));
    }
  }

  // Each CPU keeps counters of its own; what is reported is their sum over a package.
  void read_throttling() {
    std::map<std::int64_t, std::map<std::string_view, Reading>> sums;
    for (const Cpu& cpu : cpus(root_)) {
      for (const Counter& counter : kThrottleCounters) {
        const auto value = root_.integer(cpu.folder + "/" + counter.file);
        if (!value) continue;
        auto& sum = sums[cpu.package].try_emplace(counter.metric, counter.metric, 0).first->second;
        sum.second += *value;
      }
    }
    for (const auto& [package, by_metric] : sums) {
      std::vector<Reading> readings;
      for (const auto& [metric, reading] : by_metric) readings.push_back(reading);
      report(package_device(package), readings);
    }
  }

  // Interfaces of hardware; where there is none (a container) those that stand in for it.
  void read_net() {
    std::vector<NetDevice> interfaces = net_devices(root_);
    if (interfaces.empty()) {
      for (const std::string& name : root_.list("/sys/class/net")) {
        if (name != "lo") interfaces.push_back({.name = name, .pci = {}});
      }
    }
    for (const NetDevice& net : interfaces) {
      report(to_device(net), read(to_device(net), net.folder(), kNetCounters));
    }
  }

  void read_infiniband() {
    for (const IbPort& port : ib_ports(root_)) {
      report(to_device(port), read(to_device(port), port.folder(), kIbCounters));
    }
  }

  // One figure for the whole machine, which a recipe for any machine can expect to stay where it is. Without any such
  // counter there is no evidence, and nothing is measured.
  void report_uncorrected() {
    if (sources_ == 0) return;
    context_.measure("uncorrected", "", static_cast<double>(uncorrected_));
  }

  bool reported_any() const { return reported_any_; }

 private:
  std::vector<Reading> read(const Device& device, const std::string& folder, std::span<const Counter> counters) {
    std::vector<Reading> readings;
    for (const Counter& counter : counters) {
      const auto value = root_.integer(folder + "/" + counter.file);
      if (!value) continue;
      // The difference of two readings of a full counter is 0 whatever happened: no reading is the honest answer.
      if (counter.largest > 0 && *value >= counter.largest) {
        context_.note(device.id + ": " + counter.metric + " is full at " + std::to_string(*value) +
                      " and counts no further; clear it (perfquery -R) to have it measured");
        continue;
      }
      readings.emplace_back(counter.metric, *value);
    }
    return readings;
  }

  void report(const Device& device, const std::vector<Reading>& readings) {
    if (readings.empty()) return;
    reported_any_ = true;
    context_.device(device);
    for (const auto& [metric, value] : readings) {
      context_.measure(metric, device.id, static_cast<double>(value));
      if (std::ranges::count(kUncorrected, metric) == 0) continue;
      uncorrected_ += value;
      ++sources_;
    }
  }

  Context& context_;
  const SysRoot& root_;
  bool reported_any_ = false;
  std::int64_t uncorrected_ = 0;
  std::int64_t sources_ = 0;
};

void read_counters(Context& context) {
  Counters counters(context);
  counters.read_pci();
  counters.read_edac();
  counters.read_throttling();
  counters.read_net();
  counters.read_infiniband();
  counters.report_uncorrected();
  if (!counters.reported_any()) throw Skip{"this machine shows none of the counters"};
}

constexpr rackproof_parameter kParameters[] = {{}};

constexpr rackproof_metric kMetrics[] = {
    {"uncorrected", "count", "lower", "sum over the machine of what no layer below put right: PCIe errors that were not "
     "corrected, uncorrectable memory errors, bad network packets, InfiniBand links that went down or erred"},
    {"aer_correctable", "count", "lower", "PCIe errors that the hardware corrected, as the device saw them"},
    {"aer_nonfatal", "count", "lower", "PCIe errors that lost a transaction"},
    {"aer_fatal", "count", "lower", "PCIe errors that made the link unreliable"},
    {"edac_correctable", "count", "lower", "memory errors that a controller corrected"},
    {"edac_uncorrectable", "count", "lower", "memory errors that a controller could not correct"},
    {"core_throttles", "count", "lower", "times a core got too hot, summed over the logical CPUs of a package"},
    {"core_throttle_time", "ms", "lower", "how long cores were too hot, summed likewise"},
    {"package_throttles", "count", "lower", "times a package got too hot, which each of its logical CPUs counts"},
    {"package_throttle_time", "ms", "lower", "how long a package was too hot, which each of its logical CPUs counts"},
    {"net_receive_errors", "count", "lower", "bad packets received"},
    {"net_transmit_errors", "count", "lower", "packets that could not be sent"},
    {"net_receive_drops", "count", "lower", "good packets received and dropped, for want of room or of a taker"},
    {"net_transmit_drops", "count", "lower", "packets dropped on the way out"},
    {"net_receive_missed", "count", "lower", "packets that the device dropped because the host was too slow"},
    {"net_carrier_changes", "count", "lower", "times the link came or went"},
    {"ib_symbol_errors", "count", "lower", "minor link errors on the lanes"},
    {"ib_link_recoveries", "count", "lower", "times the link retrained and came back"},
    {"ib_link_downed", "count", "lower", "times the link went down"},
    {"ib_receive_errors", "count", "lower", "packets received with an error"},
    {"ib_remote_physical_errors", "count", "lower", "packets received that were marked bad on the way"},
    {"ib_transmit_discards", "count", "lower", "packets not sent because the port was down or congested"},
    {"ib_link_integrity_errors", "count", "lower", "times local physical errors passed their threshold"},
    {"ib_buffer_overruns", "count", "lower", "times the receive buffer overran"},
    {"ib_out_of_sequence", "count", "lower", "packets received out of sequence"},
    {"ib_ack_timeouts", "count", "lower", "acknowledgements that did not come in time"},
    {"ib_sequence_errors", "count", "lower", "packets that the other side refused as out of sequence"},
    {"ib_rnr_retries", "count", "lower", "packets that the other side was not ready for"},
    {},
};

constexpr const char* kByHand[] = {
    "grep -H TOTAL_ERR /sys/bus/pci/devices/*/aer_dev_*",
    "grep . /sys/devices/system/edac/mc/mc*/[cu]e_count",
    "grep . /sys/devices/system/cpu/cpu*/thermal_throttle/*",
    "grep . /sys/class/net/*/statistics/*{errors,dropped} /sys/class/net/*/carrier_changes",
    "grep . /sys/class/infiniband/*/ports/*/counters/*",
    nullptr,
};

}  // namespace
}  // namespace rackproof

RACKPROOF_CHECK(.name = "host.counters", .layer = "host",
                .summary = "Error counters of PCIe, memory, CPUs, network and InfiniBand that only ever rise",
                .method =
                    "Reads each counter once from /sys. A counter that the machine does not show is not reported. "
                    "Alone it tells what happened since the machine started; as a watch, the difference over a trial "
                    "is what happened meanwhile.",
                .parameters = rackproof::kParameters, .metrics = rackproof::kMetrics, .by_hand = rackproof::kByHand,
                .run = rackproof::entry<rackproof::read_counters>)
