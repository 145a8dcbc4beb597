#include "checks/fabric/measured.h"

#include <algorithm>
#include <span>

namespace rackproof {

void add(Tally& sum, const Tally& more) {
  if (sum.wrong == 0) sum.wrong_at = more.wrong_at;
  sum.verified += more.verified;
  sum.wrong += more.wrong;
}

Estimate last_of(const std::vector<Sample>& samples, std::int64_t kept, bool is_steady) {
  const std::size_t n = std::min(samples.size(), static_cast<std::size_t>(std::max<std::int64_t>(kept, 1)));
  Estimate estimate;
  std::vector<double> rates;
  for (const Sample& one : std::span(samples).last(n)) {
    rates.push_back(static_cast<double>(one.amount) * 1e9 / static_cast<double>(one.nanoseconds));
    estimate.counted.amount += one.amount;
    estimate.counted.nanoseconds += one.nanoseconds;
  }
  estimate.median = median(rates);
  estimate.samples = summarise(rates, is_steady && robust_cv(rates) <= SamplerBounds{}.spread);
  return estimate;
}

void put_into(Message& message, const Measured& measured) {
  const Estimate& estimate = measured.estimate;
  message.kept = estimate.samples.n;
  message.median = estimate.median;
  message.low = estimate.samples.low;
  message.high = estimate.samples.high;
  message.worst = estimate.samples.worst;
  message.steady = estimate.samples.steady ? 1 : 0;
  message.amount = estimate.counted.amount;
  message.elapsed = estimate.counted.nanoseconds;
  message.size = measured.pace.size;
  message.window = measured.pace.window;
  message.verified = measured.tally.verified;
  message.wrong = measured.tally.wrong;
  message.wrong_at = measured.tally.wrong_at;
}

Measured measured_in(const Message& message) {
  Measured measured;
  Estimate& estimate = measured.estimate;
  estimate.samples = {.n = message.kept,
                      .low = message.low,
                      .high = message.high,
                      .worst = message.worst,
                      .steady = message.steady != 0};
  estimate.counted = {.amount = message.amount, .nanoseconds = message.elapsed};
  estimate.median = message.median;
  measured.pace = {static_cast<std::size_t>(message.size), message.window};
  measured.tally = {message.verified, message.wrong, message.wrong_at};
  return measured;
}

}  // namespace rackproof
