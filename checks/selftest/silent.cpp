// Ends with status 0 and has said nothing at all.
#include "checks/selftest/answer.h"

namespace {

void say_nothing(int, const char* const*) {}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.silent.so; echo $?", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.silent", .layer = "selftest", .summary = "Says nothing and exits with 0",
                .method = "Returns at once. It shows that an exit status of 0 is no evidence.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = say_nothing)
