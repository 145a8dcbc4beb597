// Cannot do its work, and says why.
#include "checks/selftest/answer.h"

namespace {

void complain(rackproof::Context&) { throw rackproof::Trouble{"the invented part cannot be opened: No such device"}; }

constexpr const char* kByHand[] = {"rackproof-check ./selftest.trouble.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.trouble", .layer = "selftest", .summary = "Says that it could not do its work",
                .method = "Throws Trouble before it measures anything.", .parameters = nullptr,
                .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand, .run = rackproof::entry<complain>)
