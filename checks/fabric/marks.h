// Which messages of a sample are marked, where they lie, and what came of verifying them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace rackproof {

// Marked messages lie in places 1, 2, … of a room. Where they leave from there is one place more than where they
// arrive, so that what comes into a place differs from what lay there before.
struct Marks {
  std::uint64_t every = 0;   // 0: none is marked
  std::uint64_t offset = 0;  // of the sample, so that over samples the marks wander
  std::uint64_t places = 0;  // where they arrive

  static Marks of(std::uint64_t every, std::uint64_t window, std::uint32_t sample) {
    // In a window there are no more than this many at once.
    return {every, every == 0 ? 0 : sample % every, every == 0 ? 0 : std::min(window, window / every + 2)};
  }
  bool is_marked(std::uint64_t sequence) const { return every != 0 && (sequence + offset) % every == 0; }
  std::uint64_t index(std::uint64_t sequence) const { return (sequence + offset) / every; }
  std::uint64_t sequence(std::uint64_t index) const { return index * every - offset; }
  std::uint64_t arrives_at(std::uint64_t index) const { return 1 + index % places; }
  std::uint64_t leaves_from(std::uint64_t index) const { return 1 + index % (places + 1); }
  std::uint64_t room() const { return 1 + (every == 0 ? 0 : places + 1); }  // places that either side needs
};

struct Tally {
  std::uint64_t verified = 0;
  std::uint64_t wrong = 0;
  std::uint64_t wrong_at = 0;  // byte of the first wrong message
};

}  // namespace rackproof
