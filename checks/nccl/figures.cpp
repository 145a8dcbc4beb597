#include "checks/nccl/figures.h"

#include <algorithm>
#include <string>

namespace rackproof {
namespace {

// The median over iterations of one figure a rank.
template <class Figures>
std::vector<double> medians(std::span<const RankTimes> all, Figures figures_of) {
  std::vector<std::vector<double>> by_rank;
  for (const RankTimes& times : all) {
    const auto figures = figures_of(times);
    by_rank.resize(figures.size());
    for (std::size_t i = 0; i < figures.size(); ++i) by_rank[i].push_back(static_cast<double>(figures[i]));
  }
  std::vector<double> result;
  for (const auto& one : by_rank) result.push_back(median(one));
  return result;
}

}  // namespace

std::int64_t whole_time(const RankTimes& times) { return times.empty() ? 0 : std::ranges::max(times); }

std::vector<double> lateness_ns(const RankTimes& times) {
  std::vector<double> late;
  const std::int64_t longest = whole_time(times);
  for (const std::int64_t one : times) late.push_back(static_cast<double>(longest - one));
  return late;
}

std::vector<double> median_lateness_ns(std::span<const RankTimes> all) { return medians(all, lateness_ns); }

std::vector<double> median_time_ns(std::span<const RankTimes> all) {
  return medians(all, [](const RankTimes& times) { return times; });
}

double median_skew_ns(std::span<const RankTimes> all) {
  std::vector<double> skews;
  for (const RankTimes& times : all) {
    if (!times.empty()) skews.push_back(static_cast<double>(whole_time(times) - std::ranges::min(times)));
  }
  return skews.empty() ? 0 : median(skews);
}

Measurement bus_rate(const Estimate& estimate, std::string_view metric, double factor) {
  Measurement rate = to_measurement(estimate, metric, "", "GB/s");
  rate.value *= factor;
  if (rate.samples) {
    rate.samples->low *= factor;
    rate.samples->high *= factor;
    rate.samples->worst *= factor;
  }
  rate.counted.reset();  // of bytes that were not multiplied
  return rate;
}

Measurement time_of(const Estimate& estimate, std::string_view metric, std::size_t bytes) {
  const auto us = [&](double rate) { return static_cast<double>(bytes) / rate * 1e6; };
  Samples samples = estimate.samples;
  std::swap(samples.low, samples.high);
  samples.low = us(samples.low);
  samples.high = us(samples.high);
  samples.worst = us(samples.worst);
  return {.metric = std::string(metric),
          .device = {},
          .value = us(estimate.median),
          .unit = "us",
          .samples = samples,
          .counted = {}};
}

}  // namespace rackproof
