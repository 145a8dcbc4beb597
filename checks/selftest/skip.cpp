// Does not apply here, and says why.
#include "checks/selftest/answer.h"

namespace {

void pass_by(rackproof::Context&) { throw rackproof::Skip{"this machine has no invented part"}; }

constexpr const char* kByHand[] = {"rackproof-check ./selftest.skip.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.skip", .layer = "selftest", .summary = "Says that it does not apply here",
                .method = "Throws Skip. It stands as a skip where the step is optional, and is an error elsewhere.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = rackproof::entry<pass_by>)
