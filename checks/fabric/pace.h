// How large messages are, and how many are under way, so that a sample on a path of any speed takes the time it should.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rackproof {

inline constexpr std::int64_t kSampleTime = 100'000'000;  // ns: that messages are started in one sample

struct Pace {
  std::size_t size = 0;  // of a message
  std::uint64_t window = 1;
  bool operator==(const Pace&) const = default;
};

// What was asked for, or as much of it as a path of this speed (bytes per nanosecond) carries: so much is under way at
// once as goes over in the time of a sample, and a message is small enough that a sample holds four.
Pace fitting_pace(double speed, const Pace& asked);

// After a sample: a pace that fits better, where the sample took too long, or where too little was under way since the
// speed was found out in a bad moment. Otherwise the same.
Pace adjusted_pace(const Pace&, std::size_t bytes, std::int64_t nanoseconds, const Pace& asked);

// Messages that find out the speed: four times as many bytes each time, until that takes long enough, and so much
// longer than the time before that it was the bytes that took it; or until two windows have gone over.
class Probes {
 public:
  explicit Probes(const Pace& asked);
  std::size_t size() const { return size_; }
  std::uint64_t count() const { return count_; }
  double speed() const { return speed_; }
  // What the last one took; true when that tells enough.
  bool is_enough(std::int64_t nanoseconds);

 private:
  Pace asked_;
  std::size_t size_;
  std::uint64_t count_ = 1;
  std::int64_t before_ = 0;  // ns
  double speed_ = 0;
};

}  // namespace rackproof
