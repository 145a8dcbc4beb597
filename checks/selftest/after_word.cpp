// Goes on talking after its last word.
#include "checks/selftest/answer.h"

namespace {

void answer(rackproof::Context& context) { context.measure(rackproof::selftest::right_answer()); }

void go_on(int events, const char* const* args) {
  rackproof::run_check(*rackproof_check_entry(), events, args, answer);
  rackproof::write_line(events, encode(rackproof::Note{"one more thing"}));
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.after-word.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.after-word", .layer = "selftest", .summary = "Reports something after its last word",
                .method = "States answer = 42, says Done, and writes a note. It shows that the last word is the last.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand, .run = go_on)
