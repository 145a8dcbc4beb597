#include "checks/memory/balance.h"

#include <algorithm>

#include "checks/api/sampler.h"

namespace rackproof {

void Balance::add(const std::vector<Turn>& turns) {
  double busy = 0;
  for (const Turn& turn : turns) busy += static_cast<double>(turn.end_ns - turn.begin_ns);
  waited_.push_back(1 - busy / static_cast<double>(wall_ns(turns)) / static_cast<double>(turns.size()));
  const auto last = std::ranges::max_element(turns, {}, &Turn::end_ns);
  ++last_[static_cast<std::size_t>(last - turns.begin())];
}

double Balance::waited() const { return waited_.empty() ? 0 : median(waited_); }

std::size_t Balance::slowest() const {
  return static_cast<std::size_t>(std::ranges::max_element(last_) - last_.begin());
}

}  // namespace rackproof
