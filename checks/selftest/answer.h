// What the self-test checks declare and say in common, so that each of them shows its one misbehaviour alone.
#pragma once

#include "checks/api/check.h"

namespace rackproof::selftest {

inline constexpr double kRightAnswer = 42;

inline constexpr rackproof_metric kAnswer[] = {
    {"answer", "count", "exact", "42, from a check that came as far as measuring"},
    {},
};

inline constexpr rackproof_metric kRate[] = {
    {"rate", "GB/s", "higher", "an invented rate"},
    {},
};

inline Measurement right_answer() {
  return {.metric = "answer", .device = "", .value = kRightAnswer, .unit = "count", .samples = {}, .counted = {}};
}

}  // namespace rackproof::selftest
