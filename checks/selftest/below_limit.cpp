// Works as it should and measures less than is expected.
#include "checks/selftest/answer.h"

namespace {

void measure_low(rackproof::Context& context) { context.measure("rate", "", 9); }

constexpr const char* kByHand[] = {"rackproof-check ./selftest.below-limit.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.below-limit", .layer = "selftest", .summary = "Measures 9 GB/s",
                .method = "States rate = 9 GB/s and ends well, for a recipe that expects 10 GB/s.",
                .parameters = nullptr, .metrics = rackproof::selftest::kRate, .by_hand = kByHand,
                .run = rackproof::entry<measure_low>)
