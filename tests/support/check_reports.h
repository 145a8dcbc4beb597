// Runs a built check library in a process of its own, as the runner does, and gives back what it reported.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checks/api/report.h"

namespace rackproof::testing {

struct CheckReports {
  std::vector<Report> reports;

  // The value of a metric on a device; NaN when it was not measured, and when it was measured twice.
  double value(std::string_view metric, std::string_view device = "") const;
  bool has_measured(std::string_view metric, std::string_view device) const;
  const Device* device(std::string_view id) const;  // nullptr when it was not reported
  const Link* link(std::string_view from, std::string_view to) const;
  bool has_note(std::string_view part) const;
  const Report& last() const { return reports.back(); }
};

// `check` is its name ("pcie.link"), `args` are "name=value". Throws when a line is no report, or nothing was reported.
CheckReports run_check_library(const std::string& check, const std::string& sysroot,
                               const std::vector<std::string>& args = {});

// A fact as text: "32", "gpu". Empty when there is none.
std::string fact(const Facts&, std::string_view name);

}  // namespace rackproof::testing
