// Splits the samples of all threads by NUMA node: each node's bytes over its own threads' time.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "checks/api/sampler.h"
#include "checks/memory/team.h"

namespace rackproof {

class NodeRates {
 public:
  // `nodes`: of each thread.
  explicit NodeRates(std::vector<int> nodes) : nodes_(std::move(nodes)) {}

  void add(const std::vector<Turn>& turns, std::int64_t bytes_of_each_thread);
  // Over the samples that `all` kept, which are the last ones taken. Empty where there is one node.
  std::map<int, Estimate> estimates(const Estimate& all) const;

 private:
  std::vector<int> nodes_;
  std::map<int, std::vector<Sample>> samples_;
};

}  // namespace rackproof
