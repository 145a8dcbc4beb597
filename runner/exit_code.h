// What the process tells its caller.
#pragma once

#include "graphs/run.h"

namespace rackproof {

enum class ExitStyle { plain, nagios };

inline constexpr int kExitUsage = 2;
inline constexpr int kExitUndecided = 3;
inline constexpr int kExitDefect = 70;       // EX_SOFTWARE: a defect of our own
inline constexpr int kExitLocked = 75;       // EX_TEMPFAIL: another run holds the lock
inline constexpr int kExitNotApplicable = 77;

// 0 up to warn, 1 fail, 3 undecided (error or blocked without a fail), 77 when every trial was skipped. Nagios: 0 good,
// 1 warn, 2 fail, 3 undecided or nothing applicable.
constexpr int exit_code(Outcome outcome, ExitStyle style) {
  const bool nagios = style == ExitStyle::nagios;
  switch (outcome) {
    case Outcome::skip: return nagios ? 3 : kExitNotApplicable;
    case Outcome::info:
    case Outcome::pass: return 0;
    case Outcome::warn: return nagios ? 1 : 0;
    case Outcome::blocked:
    case Outcome::error: return kExitUndecided;
    case Outcome::fail: return nagios ? 2 : 1;
  }
  return kExitDefect;
}

}  // namespace rackproof
