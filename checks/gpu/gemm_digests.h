// Looks at every product on the GPU that made it: one digest each, some entries to be checked, and pauses of the device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "checks/gpu/cuda_handles.h"
#include "checks/gpu/operand_values.h"

namespace rackproof {

// Of one product. Any change of any bit changes the hash; `not_finite` counts its infinities and NaN.
struct Digest {
  std::uint64_t hash = 0;
  std::uint64_t not_finite = 0;
};

inline bool operator==(const Digest& a, const Digest& b) { return a.hash == b.hash && a.not_finite == b.not_finite; }

struct Products {
  const void* first = nullptr;
  std::size_t bytes_each = 0;
  int count = 0;
  Format format = Format::fp32;
};

// Digests that digest_products() needs room for beside its result.
std::size_t digest_scratch(int multiprocessors, int products);
// Puts the digests of all products, one after the other, to *digests: device memory, as `scratch` is.
void digest_products(const Stream&, const Products&, int multiprocessors, Digest* scratch, Digest* digests);

// The raw bits of the entries that entry_at() names, one word each.
void gather_entries(const Stream&, const Products&, std::uint32_t size, std::uint64_t seed, std::uint32_t how_many,
                    std::uint64_t* entries);

// The GPU does nothing for a while.
void pause_device(const Stream&, std::int64_t nanoseconds);

}  // namespace rackproof
