// Does everything right.
#include "checks/selftest/answer.h"

namespace {

void answer(rackproof::Context& context) { context.measure(rackproof::selftest::right_answer()); }

constexpr const char* kByHand[] = {"rackproof-check ./selftest.pass.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.pass", .layer = "selftest", .summary = "Measures the right answer",
                .method = "States answer = 42 and ends well. It shows that an expectation which holds is a pass.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = rackproof::entry<answer>)
