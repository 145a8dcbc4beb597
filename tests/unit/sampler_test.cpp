#include <catch2/catch.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

#include "checks/api/last_word.h"
#include "checks/api/sampler.h"

using namespace rackproof;

namespace {

constexpr std::int64_t kSample = 100'000'000;  // 100 ms

// Plays amounts of 100 ms each; the last one goes on for ever.
struct History {
  std::vector<std::int64_t> amounts;
  std::size_t taken = 0;

  Estimate sampled(const SamplerBounds& bounds = {}) {
    return sample(
        [this] {
          const std::size_t at = std::min(taken++, amounts.size() - 1);
          return Sample{.amount = amounts[at], .nanoseconds = kSample};
        },
        bounds);
  }
};

// P(the median lies between the order statistics of 1-based ranks low and high), by adding up whole binomials.
double coverage(std::size_t n, std::size_t low, std::size_t high) {
  long double inside = 0;
  long double ways = 1;
  for (std::size_t k = 0; k <= n; ++k) {
    if (k >= low && k < high) inside += ways;
    ways = ways * static_cast<long double>(n - k) / static_cast<long double>(k + 1);
  }
  return static_cast<double>(inside / std::pow(2.0L, static_cast<long double>(n)));
}

}  // namespace

TEST_CASE("sampler: a steady history is kept from the first sample on") {
  History history{{1000}};
  const Estimate estimate = history.sampled();
  CHECK(history.taken == 12);
  CHECK(estimate.samples.steady);
  CHECK(estimate.samples.n == 12);
  CHECK(estimate.median == 10000);  // 1000 in 100 ms
  CHECK(estimate.samples.low == 10000);
  CHECK(estimate.samples.high == 10000);
  CHECK(estimate.samples.worst == 10000);
  CHECK(estimate.counted.amount == 12 * 1000);
  CHECK(estimate.counted.nanoseconds == 12 * kSample);
  CHECK(estimate.counted.directions == 1);
}

TEST_CASE("sampler: a warm-up is left out") {
  History history;
  for (int i = 0; i < 20; ++i) history.amounts.push_back(100 + 45 * i);  // climbs from 100 to 955
  history.amounts.push_back(1000);
  const Estimate estimate = history.sampled();
  CHECK(estimate.samples.steady);
  CHECK(estimate.samples.n == 12);
  CHECK(estimate.median == Approx(10000));
  // The window of ten that proved the state may hold the warm-up's last step, none of its first.
  CHECK(estimate.samples.worst >= 9000);
  CHECK(history.taken > 22);
}

TEST_CASE("sampler: a slow drift is no steady state, however small its spread") {
  History drifting;
  // 0.4 % a sample: 4 % over the window of ten, where the robust CV is 1.5 %.
  for (int i = 0; i < 100; ++i) drifting.amounts.push_back(100000 - 400 * i);
  const SamplerBounds bounds{.window = 10, .spread = 0.05, .drift = 0.03, .keep = 12, .discard = 0,
                             .at_most_ns = 50 * kSample};
  const Estimate estimate = drifting.sampled(bounds);
  CHECK_FALSE(estimate.samples.steady);
  CHECK(estimate.samples.n == 50);
}

TEST_CASE("sampler: what never settles is unsteady when the time is up, and every sample counts") {
  History history;
  for (int i = 0; i < 1000; ++i) history.amounts.push_back(i % 2 == 0 ? 1000 : 2000);
  const Estimate estimate = history.sampled({.at_most_ns = 30 * kSample});
  CHECK_FALSE(estimate.samples.steady);
  CHECK(history.taken == 30);
  CHECK(estimate.samples.n == 30);
  CHECK(estimate.samples.worst == 10000);
  CHECK(estimate.counted.amount == 15 * 3000);
}

TEST_CASE("sampler: steady but out of time before enough were kept is unsteady") {
  History history{{1000}};
  const Estimate estimate = history.sampled({.at_most_ns = 11 * kSample});
  CHECK(history.taken == 11);
  CHECK_FALSE(estimate.samples.steady);
}

TEST_CASE("sampler: the last sample that is needed may be the one that uses up the time") {
  History history{{1000}};
  const Estimate estimate = history.sampled({.at_most_ns = 12 * kSample});
  CHECK(history.taken == 12);
  CHECK(estimate.samples.steady);
}

TEST_CASE("sampler: one sample longer than all the time ends the sampling, unsteady") {
  int taken = 0;
  const Estimate estimate = sample(
      [&] {
        ++taken;
        return Sample{.amount = 5, .nanoseconds = 20'000'000'000};
      },
      {});
  CHECK(taken == 1);
  CHECK(estimate.samples.n == 1);
  CHECK_FALSE(estimate.samples.steady);
  CHECK(estimate.median == 0.25);
}

TEST_CASE("sampler: discarded samples are taken and never looked at, and use time") {
  History history{{0, 0, 1000}};  // no amount: would be Trouble if looked at
  const Estimate estimate = history.sampled({.discard = 2});
  CHECK(history.taken == 14);
  CHECK(estimate.samples.steady);
  CHECK(estimate.counted.amount == 12 * 1000);

  History short_of_time{{1000}};
  CHECK_FALSE(short_of_time.sampled({.discard = 100, .at_most_ns = 12 * kSample}).samples.steady);
  CHECK(short_of_time.taken == 13);
}

TEST_CASE("sampler: a sample without amount or time is Trouble") {
  CHECK_THROWS_AS(sample([] { return Sample{.amount = 0, .nanoseconds = 5}; }), Trouble);
  CHECK_THROWS_AS(sample([] { return Sample{.amount = 5, .nanoseconds = 0}; }), Trouble);
  CHECK_THROWS_AS(sample([] { return Sample{.amount = -5, .nanoseconds = 5}; }), Trouble);
  History stops{{1000, 1000, 1000, 0}};
  CHECK_THROWS_AS(stops.sampled(), Trouble);
}

TEST_CASE("sampler: one outlier neither hides a steady state nor moves the median") {
  History history{{1000, 1010, 990, 100, 1005, 995, 1000, 1000}};
  const Estimate estimate = history.sampled();
  CHECK(estimate.samples.steady);
  CHECK(estimate.median == Approx(10000));
  CHECK(estimate.samples.worst == 1000);
  CHECK(estimate.samples.low >= 9900);
}

TEST_CASE("sampler: the ranks of the median's interval are those of the exact binomial") {
  struct Row {
    std::size_t n, low, high;  // 1-based, as tables print them
  };
  for (const auto& [n, low, high] :
       {Row{6, 1, 6}, Row{9, 2, 8}, Row{12, 3, 10}, Row{15, 4, 12}, Row{20, 6, 15}, Row{25, 8, 18}, Row{30, 10, 21},
        Row{50, 18, 33}, Row{100, 40, 61}}) {
    INFO(n);
    const auto [first, last] = median_interval(n);
    CHECK(first + 1 == low);
    CHECK(last + 1 == high);
  }
}

TEST_CASE("sampler: the interval covers 95 % and could not be narrower, for every n") {
  for (std::size_t n = 6; n <= 5000; n = n < 200 ? n + 1 : n + 97) {
    INFO(n);
    const auto [first, last] = median_interval(n);
    REQUIRE(last == n - 1 - first);
    REQUIRE(coverage(n, first + 1, last + 1) >= 0.95);
    REQUIRE(coverage(n, first + 2, last) < 0.95);
  }
}

TEST_CASE("sampler: below six samples no interval exists, and the extremes stand for it") {
  for (std::size_t n = 1; n < 6; ++n) CHECK(median_interval(n) == std::pair<std::size_t, std::size_t>{0, n - 1});
}

TEST_CASE("sampler: the pieces") {
  CHECK(median(std::vector<double>{3, 1, 2}) == 2);
  CHECK(median(std::vector<double>{4, 1, 3, 2}) == 2.5);
  CHECK(robust_cv(std::vector<double>{5, 5, 5}) == 0);
  CHECK(robust_cv(std::vector<double>{9, 10, 11}) == Approx(0.14826));
  CHECK(robust_cv(std::vector<double>{9, 10, 11, 10, 1000}) == Approx(0.14826));
  CHECK(theil_sen_slope(std::vector<double>{7}) == 0);
  CHECK(theil_sen_slope(std::vector<double>{1, 3, 5, 7}) == 2);
  CHECK(theil_sen_slope(std::vector<double>{1, 3, 500, 7, 9}) == 2);

  const Samples lower_worse = summarise(std::vector<double>{6, 1, 5, 2, 4, 3, 9, 8, 7}, true);
  CHECK(lower_worse == Samples{.n = 9, .low = 2, .high = 8, .worst = 1, .steady = true});
  CHECK(summarise(std::vector<double>{1, 2, 3}, false, false) ==
        Samples{.n = 3, .low = 1, .high = 3, .worst = 3, .steady = false});
}

TEST_CASE("sampler: an estimate becomes a measurement in the unit that is asked for") {
  const Estimate estimate{.samples = {.n = 12, .low = 40e9, .high = 50e9, .worst = 30e9, .steady = true},
                          .counted = {.amount = 1000, .nanoseconds = 20, .directions = 1},
                          .median = 45e9};
  const Measurement measured = to_measurement(estimate, "copy", "gpu:0", "GB/s", 2);
  CHECK(measured.metric == "copy");
  CHECK(measured.device == "gpu:0");
  CHECK(measured.value == 45);
  CHECK(measured.unit == "GB/s");
  CHECK(measured.samples == Samples{.n = 12, .low = 40, .high = 50, .worst = 30, .steady = true});
  CHECK(measured.counted == Counted{.amount = 1000, .nanoseconds = 20, .directions = 2});
  CHECK(to_measurement(estimate, "copy", "", "Gb/s").value == 360);
  CHECK_THROWS_AS(to_measurement(estimate, "copy", "", "GBps"), Trouble);
}
