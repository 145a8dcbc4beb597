#include "checks/nccl/alpha_beta.h"

#include <cmath>
#include <limits>

namespace rackproof {
namespace {

double deviation(std::span<const TimedSize> points, const AlphaBeta& line) {
  double sum = 0;
  for (const TimedSize& point : points) {
    sum += std::abs(point.ns - line.alpha_ns - line.beta_ns * point.bytes) / point.ns;
  }
  return sum;
}

}  // namespace

// A line of least absolute deviation goes through two of the points (or, where alpha may not be negative, through the
// origin and one of them), so that trying all is exact, and quick for the dozen sizes there are.
std::optional<AlphaBeta> fit_alpha_beta(std::span<const TimedSize> points) {
  std::optional<AlphaBeta> best;
  double least = std::numeric_limits<double>::infinity();
  const auto consider = [&](const AlphaBeta& line) {
    if (!(line.alpha_ns >= 0) || !(line.beta_ns > 0)) return;
    const double sum = deviation(points, line);
    if (sum < least) {
      least = sum;
      best = line;
    }
  };
  if (points.size() < 2) return best;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      const double beta = (points[j].ns - points[i].ns) / (points[j].bytes - points[i].bytes);
      consider({points[i].ns - beta * points[i].bytes, beta});
    }
    consider({0, points[i].ns / points[i].bytes});
  }
  return best;
}

}  // namespace rackproof
