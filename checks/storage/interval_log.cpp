#include "checks/storage/interval_log.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rackproof {
namespace {

constexpr std::size_t kLeastForInterval = 6;  // samples from which a median has a 95 % interval

std::vector<double> rates(std::span<const Sample> samples) {
  std::vector<double> values;
  for (const Sample& sample : samples) {
    values.push_back(static_cast<double>(sample.amount) * 1e9 / static_cast<double>(sample.nanoseconds));
  }
  return values;
}

bool is_steady(std::span<const double> values, const SamplerBounds& bounds) {
  const double middle = median(values);
  if (middle <= 0) return false;
  const double drift = std::abs(theil_sen_slope(values)) * static_cast<double>(values.size()) / middle;
  // Both robust figures forgive a quarter of outliers. If those are the last, a write cache has just filled up.
  const std::size_t lately = std::min(std::max(values.size() / 4, kLeastForInterval), values.size());
  const double change = std::abs(median(values.last(lately)) - middle) / middle;
  return robust_cv(values) <= bounds.spread && drift <= bounds.drift && change <= bounds.drift;
}

Estimate estimate(std::span<const Sample> samples, std::span<const double> values, bool steady) {
  Estimate result{.samples = summarise(values, steady), .counted = {}, .median = median(values)};
  for (const Sample& sample : samples) {
    result.counted.amount += sample.amount;
    result.counted.nanoseconds += sample.nanoseconds;
  }
  return result;
}

}  // namespace

std::vector<Sample> parse_bandwidth_log(std::string_view text) {
  std::vector<Sample> samples;
  long long before = 0;
  while (!text.empty()) {
    const std::string line(text.substr(0, text.find('\n')));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    long long end_ms = 0;
    long long kib_per_second = 0;
    if (std::sscanf(line.c_str(), "%lld , %lld ,", &end_ms, &kib_per_second) != 2) continue;
    if (end_ms <= before || kib_per_second < 0) continue;
    const long long milliseconds = end_ms - before;
    before = end_ms;
    samples.push_back({.amount = kib_per_second * 1024 * milliseconds / 1000, .nanoseconds = milliseconds * 1'000'000});
  }
  return samples;
}

std::vector<Sample> added_up(std::span<const std::vector<Sample>> jobs) {
  if (jobs.empty()) return {};
  const std::size_t shortest = std::ranges::min(jobs, {}, [](const auto& job) { return job.size(); }).size();
  std::vector<Sample> sum(jobs.front().begin(), jobs.front().begin() + static_cast<std::ptrdiff_t>(shortest));
  for (std::size_t i = 0; i < shortest; ++i) {
    double rate = 0;
    for (const auto& job : jobs) rate += static_cast<double>(job[i].amount) / static_cast<double>(job[i].nanoseconds);
    // The jobs' intervals differ by a millisecond; their rates add up, their bytes over one interval do not quite.
    sum[i].amount = std::llround(rate * static_cast<double>(sum[i].nanoseconds));
  }
  return sum;
}

Estimate steady_part(std::span<const Sample> samples, const SamplerBounds& bounds) {
  const std::vector<double> values = rates(samples);
  const auto keep = static_cast<std::size_t>(std::max(bounds.keep, 1));
  // The slope looks at every pair of samples: coarser cuts keep a run of ten minutes within a second.
  const std::size_t step = std::max<std::size_t>(values.size() / 24, 1);
  for (std::size_t cut = 0; cut + keep <= values.size(); cut += step) {
    const auto rest = std::span(values).subspan(cut);
    if (is_steady(rest, bounds)) return estimate(samples.subspan(cut), rest, true);
  }
  return estimate(samples, values, false);
}

}  // namespace rackproof
