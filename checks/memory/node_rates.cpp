#include "checks/memory/node_rates.h"

#include <span>

namespace rackproof {
namespace {

Estimate estimate_of(std::span<const Sample> kept, bool steady) {
  Estimate estimate;
  std::vector<double> rates;
  for (const Sample& sample : kept) {
    rates.push_back(static_cast<double>(sample.amount) * 1e9 / static_cast<double>(sample.nanoseconds));
    estimate.counted.amount += sample.amount;
    estimate.counted.nanoseconds += sample.nanoseconds;
  }
  estimate.median = median(rates);
  estimate.samples = summarise(rates, steady);
  return estimate;
}

}  // namespace

void NodeRates::add(const std::vector<Turn>& turns, std::int64_t bytes_of_each_thread) {
  std::map<int, std::vector<Turn>> turns_of;
  for (std::size_t rank = 0; rank < turns.size(); ++rank) turns_of[nodes_[rank]].push_back(turns[rank]);
  for (const auto& [node, own] : turns_of) {
    samples_[node].push_back({bytes_of_each_thread * static_cast<std::int64_t>(own.size()), wall_ns(own)});
  }
}

std::map<int, Estimate> NodeRates::estimates(const Estimate& all) const {
  std::map<int, Estimate> found;
  if (samples_.size() < 2) return found;
  for (const auto& [node, samples] : samples_) {
    found[node] = estimate_of(std::span(samples).last(static_cast<std::size_t>(all.samples.n)), all.samples.steady);
  }
  return found;
}

}  // namespace rackproof
