// Stops in the middle of a line.
#include <unistd.h>

#include <string>

#include "checks/selftest/answer.h"

namespace {

void stop_halfway(int events, const char* const*) {
  const std::string line = encode(rackproof::selftest::right_answer());
  [[maybe_unused]] const ssize_t written = ::write(events, line.data(), line.size() / 2);
  ::_exit(0);
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.torn.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.torn", .layer = "selftest", .summary = "Writes half a line and exits with 0",
                .method = "Writes the first half of a measurement and ends the process.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = stop_halfway)
