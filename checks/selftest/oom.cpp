// Takes memory until there is no more.
#include <memory>
#include <vector>

#include "checks/selftest/answer.h"

namespace {

constexpr std::size_t kBlock = std::size_t{16} << 20;

void take_memory(rackproof::Context& context) {
  const double at_most = context.param<double>("at_most");
  std::vector<std::unique_ptr<char[]>> blocks;
  while (static_cast<double>((blocks.size() + 1) * kBlock) <= at_most) {
    // Written in full: memory that nobody touched is only promised.
    blocks.push_back(std::make_unique<char[]>(kBlock));
  }
  context.measure(rackproof::selftest::right_answer());
}

constexpr rackproof_parameter kParameters[] = {
    {"at_most", "quantity", "1 GiB", "B", "where it stops of itself and measures"},
    {},
};
constexpr const char* kByHand[] = {"rackproof-check --memory-limit 268435456 ./selftest.oom.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.oom", .layer = "selftest", .summary = "Takes memory until there is no more",
                .method = "Allocates and writes blocks of 16 MiB until none is given or 'at_most' is reached, for a "
                          "step with a smaller 'memory'. Where nothing limits it, it states answer = 42 and ends well.",
                .parameters = kParameters, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = rackproof::entry<take_memory>)
