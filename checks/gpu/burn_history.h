// What one GPU did in a burn, sample after sample, and the figures that follow from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "checks/api/sampler.h"

namespace rackproof {

class BurnHistory {
 public:
  // Floating-point operations and the device time of the calls that did them; what lay between these is not in it.
  void add(const Sample&);
  bool empty() const { return rates_.empty(); }

  // All samples from the first steady ten on, so that whatever comes late shows. Unsteady when there are no such ten, or
  // fewer than twelve samples from there on.
  Estimate estimate() const;
  // The last quarter of these samples in percent of the first.
  std::optional<double> sustained_percent() const;

 private:
  struct Kept {
    std::size_t from = 0;
    bool is_steady = false;
  };
  Kept kept() const;

  std::vector<double> rates_;  // flop per second
  std::vector<Sample> taken_;
};

// Each figure in percent of the median of all.
std::vector<double> percent_of_median(std::span<const double>);

}  // namespace rackproof
