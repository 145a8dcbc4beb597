#include "checks/storage/load_report.h"

#include <cmath>

#include "checks/storage/interval_log.h"

namespace rackproof {
namespace {

constexpr std::int64_t kLarge = std::int64_t{1} << 20;
constexpr std::int64_t kSmall = 4096;

Measurement one_reading(std::string metric, const std::string& device, double value, const char* unit) {
  return {.metric = std::move(metric), .device = device, .value = value, .unit = unit, .samples = {}, .counted = {}};
}

}  // namespace

std::vector<MeasuredLoad> all_loads(int depth, int jobs) {
  return {
      {{"sequential read", "read", kLarge, depth, jobs}, "read", "read", "", false},
      {{"random read", "randread", kSmall, depth, jobs}, "random_read", "read_iops", "read_loaded", false},
      {{"random read, one at a time", "randread", kSmall, 1, 1}, "latency", "", "read", true},
      {{"sequential write", "write", kLarge, depth, jobs}, "write", "write", "", false},
      {{"random write", "randwrite", kSmall, depth, jobs}, "random_write", "write_iops", "write_loaded", false},
  };
}

std::vector<Measurement> measurements_of(const MeasuredLoad& measured, const std::string& device,
                                         const FioResult& result, std::span<const Sample> intervals) {
  const FioLoad& load = measured.load;
  const FioDirection& done = load.writes() ? result.write : result.read;
  std::vector<Measurement> measurements;

  if (!measured.rate.empty()) {
    const bool in_bytes = load.block_bytes == kLarge;
    const char* unit = in_bytes ? "GB/s" : "IOPS";
    const std::int64_t amount_bytes = in_bytes ? 1 : load.block_bytes;
    const Sample total{.amount = done.bytes / amount_bytes, .nanoseconds = done.milliseconds * 1'000'000};
    std::vector<Sample> samples(intervals.begin(), intervals.end());
    for (Sample& sample : samples) sample.amount /= amount_bytes;
    if (samples.empty()) samples.push_back(total);

    measurements.push_back(to_measurement(steady_part(samples), measured.rate, device, unit));
    Measurement mean = to_measurement(steady_part(std::span(&total, 1)), measured.rate + "_mean", device, unit);
    mean.samples.reset();  // one reading: "unsteady" would say more than is known
    measurements.push_back(mean);
  }

  if (!measured.latency.empty()) {
    const auto add = [&](const char* ending, const std::optional<double>& nanoseconds) {
      if (!nanoseconds) return;
      measurements.push_back(one_reading(measured.latency + ending, device, *nanoseconds / 1e3, "us"));
    };
    add("_p50", done.latency.p50_ns);
    add("_p99", done.latency.p99_ns);
    add("_p999", done.latency.p999_ns);
    if (measured.with_max) add("_max", done.latency.max_ns);
  }
  return measurements;
}

double queue_depth_error(const FioDirection& done, int in_flight) {
  return std::abs(done.queue_depth() / in_flight - 1) * 100;
}

}  // namespace rackproof
