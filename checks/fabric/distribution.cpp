#include "checks/fabric/distribution.h"

#include <algorithm>
#include <cmath>

#include "checks/api/sampler.h"

namespace rackproof {
namespace {

double half_us(std::int64_t round_trip) { return static_cast<double>(round_trip) / 2e3; }

}  // namespace

std::int64_t percentile(Batch& batch, double share) {
  const auto rank = static_cast<std::ptrdiff_t>(std::ceil(share * static_cast<double>(batch.size()))) - 1;
  const auto at = batch.begin() + std::clamp<std::ptrdiff_t>(rank, 0, std::ssize(batch) - 1);
  std::nth_element(batch.begin(), at, batch.end());
  return *at;
}

Measurement half_trips(std::vector<Batch>& batches, double share, bool steady, std::string_view metric,
                       std::string_view device) {
  std::vector<double> values;
  for (Batch& batch : batches) values.push_back(half_us(percentile(batch, share)));
  return {.metric = std::string(metric),
          .device = std::string(device),
          .value = median(values),
          .unit = "us",
          .samples = summarise(values, steady, false),
          .counted = std::nullopt};
}

double worst_half_trip_us(std::span<const Batch> batches) {
  std::int64_t worst = 0;
  for (const Batch& batch : batches) worst = std::max(worst, *std::ranges::max_element(batch));
  return half_us(worst);
}

}  // namespace rackproof
