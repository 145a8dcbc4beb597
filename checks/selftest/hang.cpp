// Never ends by itself, and lets SIGTERM end it.
#include <unistd.h>

#include "checks/selftest/answer.h"

namespace {

void hang(rackproof::Context& context) {
  context.measure(rackproof::selftest::right_answer());
  while (true) ::pause();
}

constexpr const char* kByHand[] = {"timeout 1 rackproof-check ./selftest.hang.so; echo $?", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.hang", .layer = "selftest", .summary = "Measures, then sleeps for ever",
                .method = "States answer = 42 and waits for a signal. SIGTERM ends it.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = rackproof::entry<hang>)
