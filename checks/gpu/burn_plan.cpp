#include "checks/gpu/burn_plan.h"

#include <algorithm>
#include <cmath>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

constexpr Precision kPrecisions[] = {
    {"fp64", Format::fp64, Format::fp64, 60}, {"fp32", Format::fp32, Format::fp32, 50},
    {"tf32", Format::tf32, Format::fp32, 80}, {"bf16", Format::bf16, Format::bf16, 80},
    {"fp8", Format::fp8, Format::bf16, 89},
};

constexpr double kBeatNs = 10e6;
constexpr double kWindowNs = 100e6;
// A pulse is queued whole while its gate is closed, and a stream takes about a thousand launches before the host has to
// wait; a beat is a dozen of them.
constexpr double kMostBeatsOfPulse = 50;
// Windows that a burn should have at the least: ten to see that it is steady, twelve to keep, and some to warm up.
constexpr double kLeastWindows = 30;

int at_most(double wanted, double most) {
  return static_cast<int>(std::clamp(std::round(wanted), 1.0, std::max(1.0, most)));
}

}  // namespace

std::span<const Precision> precisions() { return kPrecisions; }

std::vector<const Precision*> chosen_precisions(std::string_view given, int compute) {
  std::vector<std::string_view> words;
  for (std::string_view rest = given; given != "auto" && !rest.empty();) {
    const std::size_t comma = rest.find(',');
    std::string_view word = rest.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (std::ranges::count(kPrecisions, word, [](const Precision& p) { return std::string_view(p.name); }) == 0) {
      throw Trouble{"there is no precision '" + std::string(word) + "': there are fp64, fp32, tf32, bf16 and fp8"};
    }
    words.push_back(word);
    rest = comma == rest.npos ? "" : rest.substr(comma + 1);
  }
  if (given != "auto" && words.empty()) throw Trouble{"the parameter 'precisions' names none"};
  std::vector<const Precision*> chosen;
  for (const Precision& one : kPrecisions) {
    const bool is_wanted = given == "auto" ? compute >= one.least_compute : std::ranges::count(words, one.name) > 0;
    if (is_wanted) chosen.push_back(&one);
  }
  return chosen;
}

std::int64_t fitting_size(const Precision& precision, std::size_t room) {
  for (const std::int64_t size : {8192, 4096, 2048, 1024}) {
    const BurnPlan plan{.size = size};
    if (2 * plan.operand_bytes(precision) + 2 * plan.product_bytes(precision) <= room) return size;
  }
  return 0;
}

double wanted_beat_ns(double pulse_ns) { return std::max(kBeatNs, pulse_ns / kMostBeatsOfPulse); }

BurnPlan planned(const Precision& precision, std::int64_t size, std::size_t room, double ns_of_product, double beat_ns) {
  BurnPlan plan{.size = size};
  const std::size_t operands = 2 * plan.operand_bytes(precision);
  const double fitting = room < operands ? 0 : static_cast<double>((room - operands) / plan.product_bytes(precision));
  plan.batch = at_most(beat_ns / ns_of_product, fitting);
  plan.calls = at_most(beat_ns / (plan.batch * ns_of_product), kMostCalls);
  return plan;
}

int beats_of_window(double beat_ns, double duration_ns) {
  return at_most(std::min(kWindowNs, duration_ns / kLeastWindows) / beat_ns, 1000);
}

}  // namespace rackproof
