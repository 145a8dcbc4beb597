// How long threads that were done waited for the last one, and which that was: a slow core, or one that is disturbed.
#pragma once

#include <cstddef>
#include <vector>

#include "checks/memory/team.h"

namespace rackproof {

class Balance {
 public:
  explicit Balance(std::size_t threads) : last_(threads, 0) {}

  void add(const std::vector<Turn>&);

  std::size_t samples() const { return waited_.size(); }
  // Median over the samples: the share of all threads' time that went by in waiting.
  double waited() const;
  // The thread that was last most often, and how often.
  std::size_t slowest() const;
  std::size_t times_slowest() const { return last_[slowest()]; }

 private:
  std::vector<double> waited_;
  std::vector<std::size_t> last_;  // of each thread: samples in which it was the last
};

}  // namespace rackproof
