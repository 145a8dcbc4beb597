// Reads a counter that always rises: the time since the machine started.
#include <charconv>
#include <cstdint>
#include <string>

#include "checks/selftest/answer.h"

namespace {

using rackproof::Trouble;

// "4242.17 8021.00": seconds since the start with two digits, then idle time (proc(5)).
void count_ticks(rackproof::Context& context) {
  const auto uptime = context.sysroot().text("/proc/uptime");
  if (!uptime) throw Trouble{"/proc/uptime cannot be read"};
  const Trouble malformed{"/proc/uptime is '" + *uptime + "', not seconds with two digits"};

  std::string digits = uptime->substr(0, uptime->find(' '));
  const std::size_t point = digits.find('.');
  if (point == digits.npos || point + 3 != digits.size()) throw malformed;
  digits.erase(point, 1);
  std::int64_t ticks = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), ticks);
  if (code != std::errc{} || end != digits.data() + digits.size()) throw malformed;
  context.measure("ticks", "", static_cast<double>(ticks));
}

constexpr rackproof_metric kMetrics[] = {
    {"ticks", "count", "lower", "hundredths of a second since the machine started"},
    {},
};
constexpr const char* kByHand[] = {"cut -d ' ' -f 1 /proc/uptime", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.counter", .layer = "selftest", .summary = "Counts hundredths of a second",
                .method = "Reads the time since the machine started, a counter that rises in every trial it watches.",
                .parameters = nullptr, .metrics = kMetrics, .by_hand = kByHand, .run = rackproof::entry<count_ticks>)
