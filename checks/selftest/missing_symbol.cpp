// Needs a function that no library defines, as a check does whose vendor library is of another version.
#include "checks/selftest/answer.h"

extern "C" double rackproof_selftest_symbol_that_nobody_defines(void);

namespace {

void call_it(rackproof::Context& context) {
  context.measure("answer", "", rackproof_selftest_symbol_that_nobody_defines());
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.missing-symbol.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.missing-symbol", .layer = "selftest", .summary = "Does not load",
                .method = "Refers to a symbol that no library defines, so that the dynamic linker refuses it.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = rackproof::entry<call_it>)
