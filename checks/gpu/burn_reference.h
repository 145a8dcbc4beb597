// Products as the host knows them: some entries computed in FP64 from operands that never were on a GPU, and how far from
// them a GPU may honestly be.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "checks/gpu/burn_entries.h"
#include "checks/gpu/burn_plan.h"

namespace rackproof {

inline constexpr int kReferences = 256;  // entries of one round

// The seeds of a round: of A, of B, and of the entries that are looked at.
struct Seeds {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::uint64_t entries = 0;
};
Seeds seeds_of(int precision, int round);

struct Reference {
  double value = 0;
  double tolerance = 0;
};

// Entry (row, column) of the product is the sum over k of A[k + row size] B[k + column size]. A GPU rounds sums of these
// products into an accumulator of fewer bits, in an order of its own: what it may be off by is stated in the check's page.
Reference reference_of(const Precision&, const Seeds&, std::int64_t size, std::uint64_t row, std::uint64_t column);
std::vector<Reference> references(const Precision&, const Seeds&, std::int64_t size, int batch);

// An entry as the GPU stored it, from its raw bits.
double entry_value(Format, std::uint64_t bits);

// How many entries are further off than they may be; what is not finite is counted elsewhere.
std::int64_t count_wrong(const Precision&, std::span<const std::uint64_t> found, std::span<const Reference>,
                         std::size_t& first_wrong);

}  // namespace rackproof
