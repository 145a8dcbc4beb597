// Never ends by itself, and ignores every polite signal.
#include <signal.h>
#include <unistd.h>

#include "checks/selftest/answer.h"

namespace {

void refuse_to_end(rackproof::Context& context) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) ::signal(number, SIG_IGN);
  context.measure(rackproof::selftest::right_answer());
  while (true) ::pause();
}

constexpr const char* kByHand[] = {"timeout --kill-after=1 1 rackproof-check ./selftest.stubborn.so; echo $?", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.stubborn", .layer = "selftest", .summary = "Ignores SIGTERM and sleeps for ever",
                .method = "Ignores SIGTERM, SIGINT, SIGHUP and SIGQUIT, states answer = 42 and waits. SIGKILL ends it.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = rackproof::entry<refuse_to_end>)
