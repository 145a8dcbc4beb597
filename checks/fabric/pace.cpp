#include "checks/fabric/pace.h"

#include <algorithm>
#include <bit>

namespace rackproof {
namespace {

constexpr std::size_t kFirstProbe = 4096;
constexpr std::size_t kSmallest = 4096;  // no message is made smaller than this
constexpr std::int64_t kEnough = kSampleTime / 5;
constexpr std::int64_t kTooLong = 10 * kSampleTime;

}  // namespace

Pace fitting_pace(double speed, const Pace& asked) {
  Pace pace = asked;
  const double bytes = speed * static_cast<double>(kSampleTime);  // in one sample
  if (static_cast<double>(asked.size) > bytes / 4) {
    const auto room = static_cast<std::size_t>(std::max(bytes / 4, 1.0));
    pace.size = std::min(asked.size, std::max(std::bit_floor(room), kSmallest));
  }
  const double under_way = bytes / 5 / static_cast<double>(pace.size);
  // Two at least: with one, the path is idle between a message and the next.
  pace.window = std::min(asked.window, static_cast<std::uint64_t>(std::clamp(under_way, 2.0, 1e9)));
  return pace;
}

Probes::Probes(std::size_t size) : largest_(size), size_(std::min(size, kFirstProbe)) {}

bool Probes::is_enough(std::int64_t nanoseconds) {
  const double bytes = static_cast<double>(size_) * static_cast<double>(count_);
  const std::int64_t grown = nanoseconds - before_;
  // A pause in between, of whatever cause, is no slow path; but nobody waits for ever to learn that.
  if (nanoseconds >= kTooLong || (nanoseconds >= kEnough && before_ > 0 && nanoseconds >= 2 * before_)) {
    speed_ = before_ > 0 && grown > 0 ? bytes * 0.75 / static_cast<double>(grown) : bytes / static_cast<double>(nanoseconds);
    return true;
  }
  before_ = nanoseconds;
  const std::size_t next = std::min(largest_, size_ * 4);
  count_ = std::max<std::uint64_t>(1, count_ * size_ * 4 / next);
  size_ = next;
  return false;
}

}  // namespace rackproof
