#include "checks/memory/phase.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "checks/memory/node_rates.h"

namespace rackproof {
namespace {

constexpr std::int64_t kSampleNs = 100'000'000;
constexpr std::chrono::seconds kFillTime{60};
constexpr std::size_t kPagesAsked = 1024;  // of each thread's part of each array

}  // namespace

std::int64_t next_passes(std::int64_t passes, std::int64_t took_ns) {
  if (took_ns > kSampleNs * 7 / 10 && took_ns < kSampleNs * 15 / 10) return passes;
  const double wanted = static_cast<double>(passes) * static_cast<double>(kSampleNs) / static_cast<double>(took_ns);
  // A first sample that was disturbed must not turn the next one into seconds.
  return static_cast<std::int64_t>(std::clamp(wanted + 0.5, 1.0, static_cast<double>(passes) * 1000));
}

Phase::Phase(const PhaseSettings& settings) : settings_(settings), team_(settings.cpus) {
  const auto elements = static_cast<std::size_t>(settings.slice_bytes) / sizeof(double);
  slices_.reserve(team_.size());
  for (std::size_t rank = 0; rank < team_.size(); ++rank) {
    slices_.emplace_back(rank * elements, elements, settings.huge_pages);
  }
  const auto deadline = std::chrono::steady_clock::now() + kFillTime;
  team_.run([&](std::size_t rank) { slices_[rank].fill(deadline); });
}

Rates Phase::measure(Operation operation) {
  const std::int64_t pass_bytes =
      static_cast<std::int64_t>(slices_.front().elements()) * bytes_per_element(operation);  // of each thread
  NodeRates by_node(team_.nodes());
  Balance balance(team_.size());
  std::int64_t passes = 1;
  const auto take = [&] {
    const std::vector<Turn> turns =
        team_.run([&](std::size_t rank) { slices_[rank].run(operation, *settings_.kernels, passes); });
    by_node.add(turns, pass_bytes * passes);
    balance.add(turns);
    const Sample sample{pass_bytes * passes * std::ssize(turns), wall_ns(turns)};
    passes = next_passes(passes, sample.nanoseconds);
    return sample;
  };
  // The first samples only find out how many passes make a sample of the right length.
  const Estimate all = sample(take, {.discard = 3, .at_most_ns = settings_.at_most_ns});
  return {.all = all, .nodes = by_node.estimates(all), .balance = balance};
}

template <class Look>
SliceMismatch Phase::verify(Look look) {
  std::vector<SliceMismatch> found(slices_.size());
  team_.run([&](std::size_t rank) { found[rank] = look(slices_[rank]); });
  SliceMismatch all;
  for (const SliceMismatch& one : found) {
    const std::int64_t count = all.count + one.count;
    if (all.count == 0) all = one;
    all.count = count;
  }
  return all;
}

SliceMismatch Phase::verify_last(Operation operation) {
  return verify([&](const Slice& slice) { return slice.verify(operation); });
}

SliceMismatch Phase::verify_source(std::size_t which) {
  return verify([&](const Slice& slice) { return slice.verify_source(which); });
}

Placement Phase::placement_of_pages() const {
  Placement all;
  for (std::size_t rank = 0; rank < slices_.size(); ++rank) {
    for (const Mapping& mapping : slices_[rank].arrays()) {
      const Placement one = placement(mapping, team_.nodes()[rank], kPagesAsked);
      if (!one.refusal.empty()) return one;
      all.asked += one.asked;
      all.misplaced += one.misplaced;
    }
  }
  return all;
}

}  // namespace rackproof
