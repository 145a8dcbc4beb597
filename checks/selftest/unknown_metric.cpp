// Measures something that it does not declare, instead of what it does.
#include "checks/selftest/answer.h"

namespace {

void measure_other(int events, const char* const*) {
  rackproof::Measurement other = rackproof::selftest::right_answer();
  other.metric = "question";
  rackproof::write_line(events, encode(other));
  rackproof::write_line(events, encode(rackproof::Done{}));
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.unknown-metric.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.unknown-metric", .layer = "selftest", .summary = "Measures what it does not declare",
                .method = "Declares the metric answer, states question = 42 past the C++ interface, and says Done.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = measure_other)
