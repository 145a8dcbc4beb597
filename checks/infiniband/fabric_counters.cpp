#include "checks/infiniband/fabric_counters.h"

#include <algorithm>

#include "checks/api/last_word.h"
#include "checks/infiniband/fabric_text.h"

namespace rackproof {
namespace {

// Widths of the PortCounters attribute of the InfiniBand specification; a counter stops when it is full.
constexpr std::int64_t k4Bits = 15;
constexpr std::int64_t k8Bits = 255;
constexpr std::int64_t k16Bits = 65535;
constexpr std::int64_t k32Bits = 4294967295;

// The metrics are those of infiniband.ports where it has them too.
constexpr FabricCounter kCounters[] = {
    {"symbol_errors", "symbol_errors_total", "SymbolErrorCounter", k16Bits},
    {"link_recoveries", "link_recoveries_total", "LinkErrorRecoveryCounter", k8Bits},
    {"link_downed", "link_downed_total", "LinkDownedCounter", k8Bits},
    {"receive_errors", "receive_errors_total", "PortRcvErrors", k16Bits},
    {"remote_physical_errors", "remote_physical_errors_total", "PortRcvRemotePhysicalErrors", k16Bits},
    {"relay_errors", "relay_errors_total", "PortRcvSwitchRelayErrors", k16Bits},
    {"transmit_discards", "transmit_discards_total", "PortXmitDiscards", k16Bits},
    {"transmit_constraint_errors", "transmit_constraint_errors_total", "PortXmitConstraintErrors", k8Bits},
    {"receive_constraint_errors", "receive_constraint_errors_total", "PortRcvConstraintErrors", k8Bits},
    {"link_integrity_errors", "link_integrity_errors_total", "LocalLinkIntegrityErrors", k4Bits},
    {"buffer_overruns", "buffer_overruns_total", "ExcessiveBufferOverrunErrors", k4Bits},
    {"management_drops", "management_drops_total", "VL15Dropped", k16Bits},
    {"transmit_waits", "transmit_waits_total", "PortXmitWait", k32Bits},
};

constexpr std::string_view kUncorrected[] = {"link_downed", "receive_errors", "link_integrity_errors", "buffer_overruns"};

// [SymbolErrorCounter == 7] [PortXmitData == 24408 (95.344KB)]
std::vector<std::int64_t> values_in(std::string_view text) {
  std::vector<std::int64_t> values(std::size(kCounters), 0);
  for (const std::string_view part : split(text, "[]")) {
    const auto words = words_of(part);
    if (words.size() < 3 || words[1] != "==") continue;
    const auto* counter = std::ranges::find_if(kCounters, [&](const FabricCounter& each) { return words[0] == each.name; });
    const auto value = number_in<std::int64_t>(words[2]);
    if (counter != std::end(kCounters) && value) values[static_cast<std::size_t>(counter - kCounters)] = *value;
  }
  return values;
}

}  // namespace

std::span<const FabricCounter> fabric_counters() { return kCounters; }
std::span<const std::string_view> uncorrected_counters() { return kUncorrected; }

CounterReading parse_counters(std::string_view text, const Fabric& fabric) {
  CounterReading reading;
  bool has_summary = false;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    // "   GUID 0x200001 port 3: [SymbolErrorCounter == 7]"; "port ALL" is their sum.
    if (words.size() > 4 && words[0] == "GUID" && words[2] == "port") {
      const auto guid = guid_in(words[1]);
      const auto owner = guid ? fabric.owner_of(*guid) : std::nullopt;
      const auto port = number_in<int>(words[3].substr(0, words[3].find(':')));
      if (owner && port) reading.ports[{*owner, *port}] = values_in(line);
    }
    // "##          48 ports checked, 4 ports have errors beyond threshold", "##  2 PMA query failures"
    if (words.size() > 3 && words[0] == "##") {
      const auto number = number_in<std::int64_t>(words[1]);
      if (number && words[2] == "ports" && words[3].starts_with("checked")) {
        has_summary = true;
        reading.checked = *number;
      }
      if (number && words[2] == "PMA") reading.unread = *number;
    }
  }
  if (!has_summary) throw Trouble{"ibqueryerrors ended without its summary"};
  return reading;
}

std::optional<std::int64_t> rise(const CounterReading& before, const CounterReading& after, const FabricEnd& end,
                                 std::size_t counter) {
  const auto value = [&](const CounterReading& reading) -> std::int64_t {
    const auto found = reading.ports.find(end);
    return found == reading.ports.end() ? 0 : found->second[counter];
  };
  const std::int64_t first = value(before);
  const std::int64_t last = value(after);
  if (first == kCounters[counter].full_at || last < first) return std::nullopt;
  return last - first;
}

}  // namespace rackproof
