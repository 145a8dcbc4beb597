// One set of CPUs, its arrays, and what the loops reach on them.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "checks/api/sampler.h"
#include "checks/memory/balance.h"
#include "checks/memory/kernels.h"
#include "checks/memory/pages.h"
#include "checks/memory/slice.h"
#include "checks/memory/team.h"

namespace rackproof {

struct PhaseSettings {
  std::vector<int> cpus;
  std::int64_t slice_bytes = 0;  // of one array, for each CPU
  const Kernels* kernels = nullptr;
  std::int64_t at_most_ns = 0;  // for each operation
  bool huge_pages = false;
};

struct Rates {
  Estimate all;
  std::map<int, Estimate> nodes;  // the same samples, each node by its own threads' bytes and time; for several nodes
  Balance balance;
};

class Phase {
 public:
  explicit Phase(const PhaseSettings&);  // starts the threads and fills the arrays

  Rates measure(Operation);
  // Both look at every element. `array` 0 is the target of the last operation, 1 and 2 the sources.
  SliceMismatch verify_last(Operation);
  SliceMismatch verify_source(std::size_t which);
  Placement placement_of_pages() const;

 private:
  template <class Look>
  SliceMismatch verify(Look look);

  PhaseSettings settings_;
  Team team_;
  std::vector<Slice> slices_;
};

// How many passes the next sample takes, from what the last one took: near 100 ms, and left alone while it is near.
std::int64_t next_passes(std::int64_t passes, std::int64_t took_ns);

}  // namespace rackproof
