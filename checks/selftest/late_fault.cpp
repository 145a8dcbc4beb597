// Finds a fault, and crashes before it can say more.
#include "checks/selftest/answer.h"
#include "checks/selftest/crash.h"

namespace {

void find_fault_and_crash(rackproof::Context& context) {
  context.device({.id = "selftest:part", .kind = "selftest", .name = "invented part", .parent = "", .facts = {}});
  context.fault("selftest:part", "device-lost", "the invented part stopped answering");
  rackproof::selftest::crash_by_abort();
}

constexpr const char* kByHand[] = {"rackproof-check ./selftest.late-fault.so; echo $?", nullptr};

}  // namespace

RACKPROOF_CHECK(.name = "selftest.late-fault", .layer = "selftest", .summary = "Reports a fault, then crashes",
                .method = "States a fault and aborts, as a check does whose device is gone. The fault stands.",
                .parameters = nullptr, .metrics = rackproof::selftest::kAnswer, .by_hand = kByHand,
                .run = rackproof::entry<find_fault_and_crash>)
