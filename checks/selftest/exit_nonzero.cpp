// Says all the right words and exits with 3.
#include <unistd.h>

#include "checks/selftest/answer.h"

namespace {

void answer(rackproof::Context& context) { context.measure(rackproof::selftest::right_answer()); }

void exit_with_3(int events, const char* const* args) {
  rackproof::run_check(*rackproof_check_entry(), events, args, answer);
  ::_exit(3);
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.exit-nonzero.so; echo $?", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.exit-nonzero", .layer = "selftest", .summary = "Says Done and exits with 3",
                .method = "States answer = 42, says Done, and ends the process with status 3, as a library does whose "
                          "destructor finds the heap broken.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = exit_with_3)
