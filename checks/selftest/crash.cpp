// Is ended by a signal of its own making, after it measured well.
#include "checks/selftest/crash.h"

#include <string>

#include "checks/selftest/answer.h"

namespace {

void crash(rackproof::Context& context) {
  const auto how = context.param<std::string>("how");
  context.measure(rackproof::selftest::right_answer());
  if (how == "abort") rackproof::selftest::crash_by_abort();
  rackproof::selftest::crash_by_segv();
}

constexpr rackproof_parameter kParameters[] = {
    {"how", "choice segv|abort", "segv", nullptr, "the signal that ends it"},
    {},
};
constexpr const char* kByHand[] = {"rackproof-check ./selftest.crash.so how=abort; echo $?", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.crash", .layer = "selftest", .summary = "Crashes after a good measurement",
                .method = "States answer = 42 and then touches a page it may not, or aborts. It leaves no core file.",
                .parameters = kParameters, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = rackproof::entry<crash>)
