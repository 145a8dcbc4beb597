// Measures something that is no number.
#include <limits>

#include "checks/selftest/answer.h"

namespace {

void measure_nan(rackproof::Context& context) {
  context.measure("rate", "", std::numeric_limits<double>::quiet_NaN());
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.nan.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.nan", .layer = "selftest", .summary = "Measures NaN",
                .method = "States rate = NaN and ends well. Every comparison with NaN is false, so neither 'below' nor "
                          "'not below' may be concluded from it.",
                .parameters = nullptr, .metrics = rackproof::selftest::kRate, .by_hand = kByHand,
                .run = rackproof::entry<measure_nan>)
