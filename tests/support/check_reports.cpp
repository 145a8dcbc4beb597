#include "tests/support/check_reports.h"

#include <stdlib.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "checks/api/quantity.h"
#include "checks/api/tool.h"
#include "graphs/decode.h"

namespace rackproof::testing {

double CheckReports::value(std::string_view metric, std::string_view device) const {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  double found = kNone;
  int times = 0;
  for (const Report& report : reports) {
    const auto* measurement = std::get_if<Measurement>(&report);
    if (measurement == nullptr || measurement->metric != metric || measurement->device != device) continue;
    found = measurement->value;
    ++times;
  }
  return times == 1 ? found : kNone;
}

bool CheckReports::has_measured(std::string_view metric, std::string_view device) const {
  return std::ranges::any_of(reports, [&](const Report& report) {
    const auto* measurement = std::get_if<Measurement>(&report);
    return measurement != nullptr && measurement->metric == metric && measurement->device == device;
  });
}

const Device* CheckReports::device(std::string_view id) const {
  for (const Report& report : reports) {
    if (const auto* device = std::get_if<Device>(&report); device != nullptr && device->id == id) return device;
  }
  return nullptr;
}

const Link* CheckReports::link(std::string_view from, std::string_view to) const {
  for (const Report& report : reports) {
    const auto* link = std::get_if<Link>(&report);
    if (link != nullptr && link->from == from && link->to == to) return link;
  }
  return nullptr;
}

bool CheckReports::has_note(std::string_view part) const {
  return std::ranges::any_of(reports, [&](const Report& report) {
    const auto* note = std::get_if<Note>(&report);
    return note != nullptr && note->text.find(part) != std::string::npos;
  });
}

CheckReports run_check_library(const std::string& check, const std::string& sysroot,
                               const std::vector<std::string>& args) {
  ToolRun run{.argv = {RACKPROOF_CHECK_PROGRAM, RACKPROOF_CHECK_DIRECTORY "/" + check + ".so"}, .directory = {}};
  run.argv.insert(run.argv.end(), args.begin(), args.end());
  ::setenv("RACKPROOF_SYSROOT", sysroot.c_str(), 1);
  const ToolResult result = run_tool(run);
  ::unsetenv("RACKPROOF_SYSROOT");

  CheckReports said;
  Decoder decoder;
  std::string_view rest = result.output;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    auto report = decoder.report(rest.substr(0, end));
    if (!report) throw std::runtime_error(decoder.why() + ": " + std::string(rest.substr(0, end)));
    said.reports.push_back(std::move(*report));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (said.reports.empty()) throw std::runtime_error(check + " reported nothing: " + result.errors);
  return said;
}

std::string fact(const Facts& facts, std::string_view name) {
  for (const auto& [key, value] : facts) {
    if (key != name) continue;
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* number = std::get_if<double>(&value)) return shortest(*number);
    return std::to_string(std::get<std::int64_t>(value));
  }
  return "";
}

}  // namespace rackproof::testing
