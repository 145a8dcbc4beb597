// Measures a rate in milliseconds.
#include "checks/selftest/answer.h"

namespace {

void measure_in_time(rackproof::Context& context) {
  context.measure({.metric = "rate", .device = "", .value = 12, .unit = "ms", .samples = {}, .counted = {}});
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.wrong-unit.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.wrong-unit", .layer = "selftest", .summary = "Measures a rate in milliseconds",
                .method = "Declares rate in GB/s and states 12 ms. It shows that a number alone proves nothing.",
                .parameters = nullptr, .metrics = rackproof::selftest::kRate, .by_hand = kByHand,
                .run = rackproof::entry<measure_in_time>)
