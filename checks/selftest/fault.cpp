// Finds something wrong in itself on a device.
#include "checks/selftest/answer.h"

namespace {

void find_fault(rackproof::Context& context) {
  context.device({.id = "selftest:part", .kind = "selftest", .name = "invented part", .parent = "", .facts = {}});
  context.measure(rackproof::selftest::right_answer());
  context.fault("selftest:part", "data-mismatch", "1 of 4096 bytes read back as 0x00 where 0x2a was written");
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.fault.so", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.fault", .layer = "selftest", .summary = "Reports a fault about an invented device",
                .method = "States the right answer, and then a fault. It shows that no expectation outweighs a fault.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = rackproof::entry<find_fault>)
