#include "checks/api/sampler.h"

#include <algorithm>
#include <cmath>

#include "checks/api/last_word.h"
#include "checks/api/quantity.h"

namespace rackproof {
namespace {

bool is_steady(std::span<const double> window, const SamplerBounds& bounds) {
  const double middle = median(window);
  const double drift = std::abs(theil_sen_slope(window)) * static_cast<double>(window.size()) / middle;
  return robust_cv(window) <= bounds.spread && drift <= bounds.drift;
}

double rate(const Sample& sample) {
  return static_cast<double>(sample.amount) * 1e9 / static_cast<double>(sample.nanoseconds);
}

}  // namespace

double median(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double robust_cv(std::span<const double> values) {
  const double middle = median(values);
  std::vector<double> distances;
  for (double value : values) distances.push_back(std::abs(value - middle));
  return 1.4826 * median(distances) / std::abs(middle);
}

double theil_sen_slope(std::span<const double> values) {
  std::vector<double> slopes{0.0};
  if (values.size() > 1) slopes.clear();
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = i + 1; j < values.size(); ++j) {
      slopes.push_back((values[j] - values[i]) / static_cast<double>(j - i));
    }
  }
  return median(slopes);
}

std::pair<std::size_t, std::size_t> median_interval(std::size_t n) {
  if (n == 0) return {0, 0};
  // P(the median lies outside ranks k … n-1-k) = 2 · P(Binomial(n, ½) ≤ k): the largest k that keeps it within 5 %.
  // The terms are kept as logarithms: ½ to the power of n is no double above n = 1074.
  std::size_t best = 0;
  double log_term = static_cast<double>(n) * std::log(0.5);
  double tail = std::exp(log_term);
  for (std::size_t k = 0; 2 * tail <= 0.05 && 2 * k < n; ++k) {
    best = k;
    log_term += std::log(static_cast<double>(n - k) / static_cast<double>(k + 1));
    tail += std::exp(log_term);
  }
  return {best, n - 1 - best};
}

Samples summarise(std::span<const double> values, bool steady, bool lower_is_worse) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const auto [low, high] = median_interval(sorted.size());
  return {.n = static_cast<std::int64_t>(sorted.size()),
          .low = sorted[low],
          .high = sorted[high],
          .worst = lower_is_worse ? sorted.front() : sorted.back(),
          .steady = steady};
}

Estimate sample(const std::function<Sample()>& take, const SamplerBounds& bounds) {
  std::vector<double> rates;
  std::vector<Sample> taken;
  std::int64_t elapsed = 0;
  std::size_t kept_from = 0;
  bool steady = false;
  const auto window = static_cast<std::size_t>(std::max(bounds.window, 2));
  const auto keep = static_cast<std::size_t>(std::max(bounds.keep, 1));

  for (int i = 0; i < bounds.discard && elapsed < bounds.at_most_ns; ++i) elapsed += take().nanoseconds;
  while (true) {
    const Sample one = take();
    if (one.amount <= 0 || one.nanoseconds <= 0) throw Trouble{"a sample moved nothing, or took no time"};
    taken.push_back(one);
    rates.push_back(rate(one));
    elapsed += one.nanoseconds;
    if (!steady && rates.size() >= window && is_steady(std::span(rates).last(window), bounds)) {
      steady = true;
      // The window is what proved the steady state, so its samples belong to it.
      kept_from = rates.size() - window;
    }
    if (steady && rates.size() - kept_from >= keep) break;
    if (elapsed >= bounds.at_most_ns) {
      if (!steady || rates.size() - kept_from < keep) steady = false;
      break;
    }
  }

  const std::span<const double> kept = std::span(rates).subspan(kept_from);
  Estimate estimate;
  estimate.median = median(kept);
  estimate.samples = summarise(kept, steady);
  for (const Sample& one : std::span(taken).subspan(kept_from)) {
    estimate.counted.amount += one.amount;
    estimate.counted.nanoseconds += one.nanoseconds;
  }
  return estimate;
}

Measurement to_measurement(const Estimate& estimate, std::string_view metric, std::string_view device,
                           std::string_view unit, int directions) {
  const Unit* in = find_unit(unit);
  if (in == nullptr) throw Trouble{"unknown unit '" + std::string(unit) + "'"};
  Measurement measurement{.metric = std::string(metric),
                          .device = std::string(device),
                          .value = estimate.median / in->factor,
                          .unit = std::string(unit),
                          .samples = estimate.samples,
                          .counted = estimate.counted};
  measurement.samples->low /= in->factor;
  measurement.samples->high /= in->factor;
  measurement.samples->worst /= in->factor;
  measurement.counted->directions = directions;
  return measurement;
}

}  // namespace rackproof
