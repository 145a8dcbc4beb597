#include "checks/nccl/size_results.h"

#include <string>
#include <utility>

#include "checks/nccl/alpha_beta.h"

namespace rackproof {
namespace {

constexpr std::int64_t kLongestNs = 60'000'000'000;

constexpr std::pair<std::size_t, const char*> kFixedSizes[] = {
    {std::size_t{1} << 20, "busbw_1mib"},
    {std::size_t{128} << 20, "busbw_128mib"},
    {std::size_t{1} << 30, "busbw_1gib"},
    {std::size_t{8} << 30, "busbw_8gib"},
};

}  // namespace

SamplerBounds bounds_of_size() { return {.at_most_ns = kLongestNs}; }

std::optional<Measurement> report_sizes(Context& context, std::string_view device, std::vector<SizeResult>& results,
                                        double bus_factor, std::size_t largest) {
  const auto measure = [&](Measurement one) {
    one.device = device;
    context.measure(one);
    return one;
  };
  std::erase_if(results, [](const SizeResult& one) { return one.estimate.samples.n == 0; });  // stopped on the way
  if (results.empty()) return std::nullopt;
  std::vector<TimedSize> points;
  for (const SizeResult& one : results) {
    const auto bytes = static_cast<double>(one.extents.bytes);
    points.push_back({bytes, bytes / one.estimate.median * 1e9});
    for (const auto& [size, metric] : kFixedSizes) {
      if (one.asked == size) measure(bus_rate(one.estimate, metric, bus_factor));
    }
  }
  measure(time_of(results.front().estimate, "latency", results.front().extents.bytes));
  if (results.back().asked != largest) return std::nullopt;
  if (const auto line = fit_alpha_beta(points)) {
    context.measure("alpha", device, line->alpha_ns / 1e3);
    context.measure("asymptotic", device, bus_factor / line->beta_ns);
  }
  measure(to_measurement(results.back().estimate, "algbw", "", "GB/s"));
  context.measure("largest_size", device, static_cast<double>(results.back().extents.bytes) / (1 << 20));
  return measure(bus_rate(results.back().estimate, "busbw", bus_factor));
}

void note_left_out(Context& context, const SizePlan& plan) {
  std::string text;
  for (const std::size_t bytes : plan.left_out) text += (text.empty() ? "" : ", ") + size_text(bytes);
  if (text.empty()) return;
  context.note("no room for " + text + (plan.added > 0 ? "; " + size_text(plan.added) + " is the largest size" : ""));
}

}  // namespace rackproof
