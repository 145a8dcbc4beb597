// The line t = alpha + beta n through the times of several sizes, not led astray by one of them.
#pragma once

#include <optional>
#include <span>

namespace rackproof {

struct TimedSize {
  double bytes = 0;
  double ns = 0;
};

struct AlphaBeta {
  double alpha_ns = 0;
  double beta_ns = 0;  // for one more byte
};

// The line with the least sum of relative deviations, |t - alpha - beta n| / t, among those with alpha and beta not
// below zero. Relative, because times span five orders of magnitude; absolute values in place of squares, so that one
// bad point of four or more does not move it. nullopt for fewer than two sizes, or when no line rises.
std::optional<AlphaBeta> fit_alpha_beta(std::span<const TimedSize>);

}  // namespace rackproof
