#include "checks/fabric/pace.h"

#include <algorithm>
#include <bit>

namespace rackproof {
namespace {

constexpr std::size_t kFirstProbe = 4096;
constexpr std::size_t kSmallest = 4096;  // no message is made smaller than this
constexpr std::int64_t kEnough = 3 * kSampleTime;  // pauses of a busy machine are some milliseconds
constexpr std::int64_t kLong = 5 * kSampleTime;    // for a sample
constexpr std::int64_t kTooLong = 10 * kSampleTime;

}  // namespace

Pace fitting_pace(double speed, const Pace& asked) {
  Pace pace = asked;
  const double bytes = speed * static_cast<double>(kSampleTime);  // in one sample
  if (static_cast<double>(asked.size) > bytes / 4) {
    const auto room = static_cast<std::size_t>(std::max(bytes / 4, 1.0));
    pace.size = std::min(asked.size, std::max(std::bit_floor(room), kSmallest));
  }
  const double under_way = bytes / static_cast<double>(pace.size);
  pace.window = std::min(asked.window, static_cast<std::uint64_t>(std::clamp(under_way, 4.0, 1e9)));
  return pace;
}

Pace adjusted_pace(const Pace& pace, std::size_t bytes, std::int64_t nanoseconds, const Pace& asked) {
  const Pace fitting = fitting_pace(static_cast<double>(bytes) / static_cast<double>(nanoseconds), asked);
  const std::uint64_t now = pace.size * pace.window, then = fitting.size * fitting.window;
  const bool is_too_long = nanoseconds > kLong && then < now;
  const bool is_too_little = then > now + now / 2;
  return is_too_long || is_too_little ? fitting : pace;
}

Probes::Probes(const Pace& asked) : asked_(asked), size_(std::min(asked.size, kFirstProbe)) {}

bool Probes::is_enough(std::int64_t nanoseconds) {
  const double bytes = static_cast<double>(size_) * static_cast<double>(count_);
  const bool is_long = nanoseconds >= kEnough && before_ > 0 && nanoseconds >= 2 * before_;
  const bool is_much = size_ == asked_.size && count_ >= 2 * asked_.window;
  if (is_long || is_much || nanoseconds >= kTooLong) {
    speed_ = bytes / static_cast<double>(std::max<std::int64_t>(nanoseconds, 1));
    return true;
  }
  before_ = nanoseconds;
  const std::size_t next = std::min(asked_.size, size_ * 4);
  count_ = std::max<std::uint64_t>(1, count_ * size_ * 4 / next);
  size_ = next;
  return false;
}

}  // namespace rackproof
