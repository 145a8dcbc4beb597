#include "checks/fabric/settings.h"

#include <cmath>
#include <string>

namespace rackproof {
namespace {

void require_within(bool is_within, const char* name, const std::string& least, const std::string& most) {
  if (!is_within) throw Trouble{"the parameter '" + std::string(name) + "' is not between " + least + " and " + most};
}

}  // namespace

double number_in(const Context& context, const char* name, double least, double most) {
  const double value = context.param<double>(name);
  require_within(value >= least && value <= most, name, shortest(least), shortest(most));
  return value;
}

std::int64_t whole_number_in(const Context& context, const char* name, std::int64_t least, std::int64_t most) {
  const auto value = context.param<std::int64_t>(name);
  require_within(value >= least && value <= most, name, std::to_string(least), std::to_string(most));
  return value;
}

std::chrono::nanoseconds time_in(const Context& context, const char* name) {
  const double seconds = context.param<double>(name);
  require_within(seconds >= 0.1 && seconds <= 3600, name, "100 ms", "1 h");
  return std::chrono::nanoseconds(std::llround(seconds * 1e9));
}

}  // namespace rackproof
