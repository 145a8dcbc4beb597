// Says far too much, every line of it valid.
#include <cstdint>
#include <string>

#include "checks/selftest/answer.h"

namespace {

void flood(rackproof::Context& context) {
  const auto count = context.param<std::int64_t>("count");
  for (std::int64_t i = 1; i <= count; ++i) context.note("note " + std::to_string(i) + " of " + std::to_string(count));
  context.measure(rackproof::selftest::right_answer());
}

constexpr rackproof_parameter kParameters[] = {
    {"count", "integer", "1000000", nullptr, "how many notes it writes before it measures"},
    {},
};
constexpr const char* kByHand[] = {"rackproof-check ./selftest.flood.so count=1000000 | wc -l", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.flood", .layer = "selftest", .summary = "Writes a million valid notes",
                .method = "Writes notes as fast as they are taken, then states answer = 42 and ends well.",
                .parameters = kParameters, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = rackproof::entry<flood>)
