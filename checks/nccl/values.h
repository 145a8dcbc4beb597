// What ranks put into a collective and what must come out of it: small whole numbers as float32, whose sum is exact in
// any order, from a seed, the rank and the place; filled, compared and located on the device.
#pragma once

#include <cstddef>
#include <cstdint>

#include "checks/gpu/cuda_handles.h"
#include "checks/gpu/words.h"

#ifdef __CUDACC__
#define RACKPROOF_BOTH __host__ __device__
#else
#define RACKPROOF_BOTH
#endif

// Adds the four numbers, from -2048 to 2047, that `rank` gives at the vector `at`. Sums of up to 4096 ranks stay below
// 2^24, up to which float32 holds every whole number.
RACKPROOF_BOTH inline void rackproof_add_given(std::uint64_t seed, int rank, std::uint64_t at, int sum[4]) {
  const std::uint64_t bits = rackproof_word(seed * 4099 + static_cast<std::uint64_t>(rank), at);
  for (int lane = 0; lane < 4; ++lane) sum[lane] += static_cast<int>(bits >> (16 * lane) & 0xfff) - 2048;
}

// The rank whose data a rank must get at the vector `at`; -1: the sum over all of them. `what` is a Collective as a
// number.
RACKPROOF_BOTH inline int rackproof_source(int what, int ranks, int rank, std::uint64_t part_vectors,
                                           std::uint64_t at) {
  switch (what) {
    case 1:
    case 3:
      return static_cast<int>(at / part_vectors);
    case 4:
      return 0;
    case 5:
      return (rank + ranks - 1) % ranks;
    default:
      return -1;
  }
}

// The four numbers that a rank must get at the vector `at`.
RACKPROOF_BOTH inline void rackproof_expect(int what, std::uint64_t seed, int ranks, int rank,
                                            std::uint64_t part_vectors, std::uint64_t at, int out[4]) {
  for (int lane = 0; lane < 4; ++lane) out[lane] = 0;
  const int source = rackproof_source(what, ranks, rank, part_vectors, at);
  std::uint64_t there = at;
  if (what == 1) there = at % part_vectors;
  if (what == 2) there = static_cast<std::uint64_t>(rank) * part_vectors + at;
  if (what == 3) there = static_cast<std::uint64_t>(rank) * part_vectors + at % part_vectors;
  if (source >= 0) {
    rackproof_add_given(seed, source, there, out);
  } else {
    for (int one = 0; one < ranks; ++one) rackproof_add_given(seed, one, there, out);
  }
}

namespace rackproof {

// What is verified: the output of one rank.
struct RankOutput {
  int what = 0;  // a Collective
  int ranks = 0;
  int rank = 0;
  std::size_t part = 0;      // floats of one rank's part
  std::size_t received = 0;  // floats; behind them, up to a whole vector, stands what must not be touched
};

// Two words: how many elements are wrong, and place << 32 | bits found of the first of them.
struct WrongElements {
  std::uint64_t count = 0;
  std::uint64_t first = 0;
  std::size_t place() const { return static_cast<std::size_t>(first >> 32); }
};

// All put their work into the stream. Memory is 16-byte aligned; lengths in floats, of whole vectors.

// Writes what `rank` gives, `given` floats from `given_at` on, and a mark that is no number around it.
void fill_given(const Stream&, float* memory, std::size_t length, std::size_t given_at, std::size_t given,
                std::uint64_t seed, int rank);
// Writes what must come out.
void fill_expected(const Stream&, float* memory, const RankOutput&, std::uint64_t seed);
// Compares element by element, unless *sum is already the right one (nullptr: always). `wrong` must be cleared before.
void find_wrong(const Stream&, const float* memory, const RankOutput&, std::uint64_t seed, const std::uint64_t* sum,
                std::uint64_t right_sum, WrongElements* wrong);
void clear_wrong(const Stream&, WrongElements* wrong, std::size_t how_many);

// On the host: what must stand at a place, what its four bytes say, and whose data it is (-1: of all).
double expected_at(const RankOutput&, std::uint64_t seed, std::size_t place);
double found_at(const WrongElements&);
int source_of(const RankOutput&, std::size_t place);

}  // namespace rackproof
