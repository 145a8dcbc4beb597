#include "checks/gpu/burn_history.h"

#include <cmath>

namespace rackproof {

void BurnHistory::add(const Sample& sample) {
  rates_.push_back(static_cast<double>(sample.amount) * 1e9 / static_cast<double>(sample.nanoseconds));
  taken_.push_back(sample);
}

BurnHistory::Kept BurnHistory::kept() const {
  const SamplerBounds bounds;
  const auto window = static_cast<std::size_t>(bounds.window);
  for (std::size_t from = 0; from + window <= rates_.size(); ++from) {
    const std::span<const double> seen = std::span(rates_).subspan(from, window);
    const double drift = std::abs(theil_sen_slope(seen)) * bounds.window / median(seen);
    if (robust_cv(seen) > bounds.spread || drift > bounds.drift) continue;
    // Robust figures pass over the last samples of the warm-up; the worst one would not.
    while (std::abs(rates_[from] / median(seen) - 1) > bounds.spread) ++from;
    return {from, rates_.size() - from >= static_cast<std::size_t>(bounds.keep)};
  }
  return {};
}

Estimate BurnHistory::estimate() const {
  const Kept from = kept();
  const std::span<const double> rates = std::span(rates_).subspan(from.from);
  Estimate estimate;
  estimate.median = median(rates);
  estimate.samples = summarise(rates, from.is_steady);
  for (const Sample& one : std::span(taken_).subspan(from.from)) {
    estimate.counted.amount += one.amount;
    estimate.counted.nanoseconds += one.nanoseconds;
  }
  return estimate;
}

std::optional<double> BurnHistory::sustained_percent() const {
  const std::span<const double> rates = std::span(rates_).subspan(kept().from);
  const std::size_t quarter = rates.size() / 4;
  if (quarter == 0) return std::nullopt;
  return 100 * median(rates.last(quarter)) / median(rates.first(quarter));
}

std::vector<double> percent_of_median(std::span<const double> values) {
  std::vector<double> percent;
  for (const double value : values) percent.push_back(100 * value / median(values));
  return percent;
}

}  // namespace rackproof
