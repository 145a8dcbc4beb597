// Whose products differ: from the GPU's own, and from those of the other GPUs of its kind.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace rackproof {

// The digests of all products of one GPU in one round, which all should be the same.
class DigestTally {
 public:
  void add(std::uint64_t hash, std::int64_t times = 1);
  std::int64_t count() const { return count_; }
  // The most frequent one; meaningless when there is none.
  std::uint64_t usual() const;
  std::int64_t unusual() const;  // how many are any other

 private:
  std::uint64_t last_ = 0;  // nearly all are the same, and are counted here
  std::int64_t last_times_ = 0;
  std::map<std::uint64_t, std::int64_t> rest_;
  std::int64_t count_ = 0;
};

// How one GPU stands among those of its kind.
enum class Standing {
  agrees,
  deviates,   // more than half of the others agree with each other, and not with it
  contested,  // it is among GPUs that differ, and no majority says which is wrong
};
std::vector<Standing> compare(std::span<const std::uint64_t> usual);

// Where two products of the same operands differ.
struct Difference {
  std::int64_t entries = 0;
  std::uint64_t first = 0;  // place of the first such entry
  std::uint64_t found = 0;  // its bits in either
  std::uint64_t other = 0;
  std::uint64_t bits = 0;  // all that differ in any entry
};
// `size` bytes make an entry.
Difference difference(std::span<const unsigned char> product, std::span<const unsigned char> other, std::size_t size);

}  // namespace rackproof
