// Takes its time and ends well.
#include <chrono>
#include <thread>

#include "checks/selftest/answer.h"

namespace {

constexpr double kLongest = 3600;

void take_time(rackproof::Context& context) {
  const double seconds = context.param<double>("seconds");
  if (seconds < 0 || seconds > kLongest) throw rackproof::Trouble{"'seconds' must be between 0 and 3600 s"};
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  context.measure(rackproof::selftest::right_answer());
}

constexpr rackproof_parameter kParameters[] = {
    {"seconds", "quantity", "500 ms", "s", "how long it sleeps before it measures"},
    {},
};
constexpr const char* kByHand[] = {"rackproof-check ./selftest.slow.so 'seconds=2 s'", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.slow", .layer = "selftest", .summary = "Sleeps, then measures the right answer",
                .method = "Sleeps for a given time, states answer = 42 and ends well.", .parameters = kParameters,
                .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand, .run = rackproof::entry<take_time>)
