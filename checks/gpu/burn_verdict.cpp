#include "checks/gpu/burn_verdict.h"

#include <algorithm>
#include <cstring>

namespace rackproof {

void DigestTally::add(std::uint64_t hash, std::int64_t times) {
  count_ += times;
  if (hash != last_ && last_times_ > 0) {
    rest_[hash] += times;
    return;
  }
  last_ = hash;
  last_times_ += times;
}

std::uint64_t DigestTally::usual() const {
  std::pair<std::uint64_t, std::int64_t> most{last_, last_times_};
  for (const auto& one : rest_) {
    if (one.second > most.second) most = one;
  }
  return most.first;
}

std::int64_t DigestTally::unusual() const {
  std::int64_t most = last_times_;
  for (const auto& [hash, times] : rest_) most = std::max(most, times);
  return count_ - most;
}

std::vector<Standing> compare(std::span<const std::uint64_t> usual) {
  std::map<std::uint64_t, std::size_t> votes;
  for (const std::uint64_t hash : usual) ++votes[hash];
  if (votes.size() <= 1) return std::vector(usual.size(), Standing::agrees);
  const auto most = std::ranges::max_element(votes, {}, [](const auto& one) { return one.second; });
  const bool is_majority = most->second >= 2 && 2 * most->second > usual.size();
  std::vector<Standing> all;
  for (const std::uint64_t hash : usual) {
    if (is_majority) {
      all.push_back(hash == most->first ? Standing::agrees : Standing::deviates);
    } else {
      all.push_back(Standing::contested);
    }
  }
  return all;
}

Difference difference(std::span<const unsigned char> product, std::span<const unsigned char> other, std::size_t size) {
  Difference result;
  for (std::size_t at = 0; at + size <= product.size() && at + size <= other.size(); at += size) {
    std::uint64_t here = 0;
    std::uint64_t there = 0;
    std::memcpy(&here, product.data() + at, size);
    std::memcpy(&there, other.data() + at, size);
    if (here == there) continue;
    if (result.entries++ == 0) {
      result.first = at / size;
      result.found = here;
      result.other = there;
    }
    result.bits |= here ^ there;
  }
  return result;
}

}  // namespace rackproof
