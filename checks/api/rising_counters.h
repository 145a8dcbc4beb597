// Counters of one device that only rise, read at the beginning and at the end of a window.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/check.h"

namespace rackproof {

struct RisingCounter {
  const char* metric;
  const char* file;          // below the device's folder
  std::int64_t full_at = 0;  // where the hardware stops counting; 0: never in practice
};

class RisingCounters {
 public:
  // Reads them for the first time. `table` must outlive this.
  RisingCounters(const SysRoot&, std::string folder, std::span<const RisingCounter> table);

  void read_again(const SysRoot&);

  // By how much each rose, as a measurement of its metric; a note for each that cannot tell: full from the beginning,
  // or set back meanwhile. What the device does not show is not measured.
  void report_rise(Context&, const std::string& device) const;
  // By how much one rose; nullopt where report_rise() does not measure it.
  std::optional<std::int64_t> rise_of(std::string_view metric) const;
  // The last reading of each: "symbol_errors_total".
  void add_totals(Facts&) const;
  // Metrics whose files below `folder` ("counters/") the device does not show.
  std::vector<std::string> absent(std::string_view folder) const;

 private:
  using Readings = std::vector<std::optional<std::int64_t>>;  // in the order of the table
  Readings read(const SysRoot&) const;
  bool was_full(std::size_t) const;
  bool is_full(std::size_t) const;

  std::string folder_;
  std::span<const RisingCounter> table_;
  Readings before_;
  Readings after_;
};

}  // namespace rackproof
