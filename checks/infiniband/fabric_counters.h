// The error counters of all ports of a fabric, as ibqueryerrors prints them, and how they rose.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checks/infiniband/fabric_model.h"

namespace rackproof {

struct FabricCounter {
  const char* metric;
  const char* total;  // metric of what it stands at
  const char* name;   // in ibqueryerrors
  std::int64_t full_at;
};
std::span<const FabricCounter> fabric_counters();

// What none of the layers below put right; on a healthy link none of these moves.
std::span<const std::string_view> uncorrected_counters();

struct CounterReading {
  // In the order of fabric_counters(); a port that is not in it has counted nothing.
  std::map<FabricEnd, std::vector<std::int64_t>> ports;
  std::int64_t checked = 0;  // ports that were asked
  std::int64_t unread = 0;   // of those, without an answer
};

// Throws Trouble for a text without its summary: then nobody knows whether all ports were asked.
CounterReading parse_counters(std::string_view text, const Fabric&);

// By how much a counter of a port rose; nullopt when it cannot tell: full from the beginning, or set back.
std::optional<std::int64_t> rise(const CounterReading& before, const CounterReading& after, const FabricEnd&,
                                 std::size_t counter);

}  // namespace rackproof
