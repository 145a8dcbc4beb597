// One way to take samples for all checks: warm up until the rate is steady, keep at least twelve, report the median.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "checks/api/report.h"

namespace rackproof {

// What one sample did. Its length should be 50 to 500 ms.
struct Sample {
  std::int64_t amount = 0;  // bytes or operations
  std::int64_t nanoseconds = 0;
};

struct SamplerBounds {
  int window = 10;            // last samples that are looked at to decide "steady"
  double spread = 0.05;       // largest robust CV over the window: 1.4826 MAD / median
  double drift = 0.05;        // largest |Theil–Sen slope| times the window, as a share of the median
  int keep = 12;              // samples to take once steady; below 6 no 95 % interval exists
  int discard = 0;            // samples never looked at (first touch, connection set-up)
  std::int64_t at_most_ns = 10'000'000'000;  // of sample time; reached first, the result is unsteady
};

struct Estimate {
  Samples samples;   // low, high and worst as rates: amount per second
  Counted counted;   // over the kept samples
  double median = 0; // amount per second
};

// Calls `take` until steady and kept, or until `at_most_ns` of samples were taken. A sample without amount or time
// throws Trouble. Works on the samples' own times alone, so a test can feed any history.
Estimate sample(const std::function<Sample()>& take, const SamplerBounds& = {});

// The estimate as a measurement in a byte or operation rate ("GB/s", "IOPS").
Measurement to_measurement(const Estimate&, std::string_view metric, std::string_view device, std::string_view unit,
                           int directions = 1);

// The pieces, for tests and for checks with other figures than rates. None may be given an empty span.
double median(std::span<const double>);
double robust_cv(std::span<const double>);          // 1.4826 MAD / |median|
double theil_sen_slope(std::span<const double>);    // per sample
// 0-based ranks of the order statistics that bound the median with at least 95 % confidence (exact binomial); first
// and last when n < 6, where no such pair exists.
std::pair<std::size_t, std::size_t> median_interval(std::size_t n);
Samples summarise(std::span<const double>, bool steady, bool lower_is_worse = true);

}  // namespace rackproof
