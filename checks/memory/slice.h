// One thread's part of the three arrays: what is in it, what the loops make of it, and whether that came out right.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "checks/memory/kernels.h"
#include "checks/memory/pages.h"

namespace rackproof {

// Wrong elements of one array.
struct SliceMismatch {
  std::int64_t count = 0;
  std::uint64_t index = 0;  // of the first, in the whole array
  std::uint64_t expected = 0;
  std::uint64_t got = 0;
};

class Slice {
 public:
  // `first` is the place of this part in the whole array. `elements` is a multiple of kTurn.
  Slice(std::uint64_t first, std::size_t elements, bool huge_pages);

  // Fills the sources and clears the target; to be called by the thread that will use it, so that the pages come from
  // its node. Throws Trouble when the kernel has not given the pages by `deadline`.
  void fill(std::chrono::steady_clock::time_point deadline);

  // `passes` times over the whole slice. Every pass differs from the one before (another source, factor or seed), so
  // that an element that kept its old value is wrong.
  void run(Operation, const Kernels&, std::int64_t passes);

  // Compares every element of the target with what the last pass of `operation` must have left there; for reading,
  // counts the passes whose sum was wrong.
  SliceMismatch verify(Operation) const;
  SliceMismatch verify_source(std::size_t source) const;  // 0 or 1

  std::size_t elements() const { return elements_; }
  const std::array<Mapping, 3>& arrays() const { return arrays_; }  // target, source 0, source 1
  double* target() const { return arrays_[0].begin(); }
  double* source(std::size_t which) const { return arrays_[1 + which].begin(); }

 private:
  std::uint64_t first_;
  std::size_t elements_;
  std::array<Mapping, 3> arrays_;
  std::array<std::uint64_t, 2> sums_{};  // of the sources, from the pattern and not from memory
  std::uint64_t pass_ = 0;
  SliceMismatch wrong_sums_;
};

// What source 0 or 1 holds at `index`: whole numbers below 2^48, no two alike in a source, so that sums with small
// factors are exact in a double.
double source_value(std::size_t source, std::uint64_t index);

}  // namespace rackproof
