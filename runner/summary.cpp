#include "runner/summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "checks/api/quantity.h"

namespace rackproof {
namespace {

std::string range_text(const std::vector<const Measurement*>& measured) {
  const Unit* unit = find_unit(measured.front()->unit);
  if (unit == nullptr) return "in an unknown unit";
  const auto [least, most] = std::ranges::minmax(measured, {}, &Measurement::value);
  const std::string low = to_text(readable({least->value, unit}));
  const std::string high = to_text(readable({most->value, unit}));
  const bool unsteady = std::ranges::any_of(measured, [](const Measurement* one) {
    return one->samples && !one->samples->steady;
  });
  std::string text = low == high ? high : fmt::format("{} … {}", low, high);
  if (measured.size() > 1) text += fmt::format(" ×{}", measured.size());
  if (unsteady) text += " (unsteady)";
  return text;
}

}  // namespace

std::vector<std::string> key_numbers(const Run& run, const TrialRecord& trial) {
  std::vector<std::string> numbers;
  for (const MetricDeclaration& metric : run.step_of(trial).metrics) {
    std::vector<const Measurement*> measured;
    const auto look_at = [&](const Report& report) {
      const auto* one = std::get_if<Measurement>(&report);
      if (one != nullptr && one->metric == metric.name && !std::isnan(one->value)) measured.push_back(one);
    };
    for (const Report& report : trial.reports) look_at(report);
    for (const WatchedReport& watched : trial.watched) {
      const auto* one = std::get_if<Measurement>(&watched.report);
      // Of the counters of a watch only those that moved are worth a look.
      if (one != nullptr && one->value != 0) look_at(watched.report);
    }
    if (!measured.empty()) numbers.push_back(fmt::format("{} {}", metric.name, range_text(measured)));
  }
  return numbers;
}

std::vector<std::string> not_tried_because_of(const Run& run, std::size_t trial) {
  std::vector<std::string> names;
  std::vector<bool> because(run.trials.size());
  because[trial] = true;
  for (std::size_t i = 0; i < run.trials.size(); ++i) {
    const TrialRecord& other = run.trials[i];
    if (!other.verdict || other.verdict->outcome != Outcome::blocked) continue;
    because[i] = std::ranges::any_of(other.needs, [&](std::size_t need) { return because[need]; });
    if (because[i]) names.push_back(run.step_of(other).id);
  }
  return names;
}

std::string counts(const Run& run) {
  std::array<std::size_t, 7> by_outcome{};
  std::size_t without = 0;
  for (const TrialRecord& trial : run.trials) {
    if (trial.verdict) {
      ++by_outcome[static_cast<std::size_t>(trial.verdict->outcome)];
    } else {
      ++without;
    }
  }
  std::vector<std::string> parts;
  for (const Outcome outcome : {Outcome::fail, Outcome::error, Outcome::blocked, Outcome::warn, Outcome::pass,
                                Outcome::info, Outcome::skip}) {
    const std::size_t n = by_outcome[static_cast<std::size_t>(outcome)];
    if (n > 0) parts.push_back(fmt::format("{} {}", n, to_text(outcome)));
  }
  if (without > 0) parts.push_back(fmt::format("{} without a verdict", without));
  return fmt::format("{} trial{}: {}", run.trials.size(), run.trials.size() == 1 ? "" : "s", fmt::join(parts, ", "));
}

std::string duration_text(std::int64_t microseconds) {
  const double seconds = static_cast<double>(microseconds) / 1e6;
  if (seconds < 100) return fmt::format("{:.2f} s", seconds);
  if (seconds < 6000) return fmt::format("{:.1f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace rackproof
