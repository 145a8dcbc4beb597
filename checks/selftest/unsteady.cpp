// Measures enough, but never came to a steady state.
#include "checks/selftest/answer.h"

namespace {

void measure_unsteadily(rackproof::Context& context) {
  context.measure({.metric = "rate",
                   .device = "",
                   .value = 12,
                   .unit = "GB/s",
                   .samples = rackproof::Samples{.n = 12, .low = 6, .high = 18, .worst = 3, .steady = false},
                   .counted = {}});
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.unsteady.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.unsteady", .layer = "selftest", .summary = "Measures 12 GB/s, not steady",
                .method = "States rate = 12 GB/s from samples that never settled, for a recipe that expects 10 GB/s.",
                .parameters = nullptr, .metrics = rackproof::selftest::kRate, .by_hand = kByHand,
                .run = rackproof::entry<measure_unsteadily>)
