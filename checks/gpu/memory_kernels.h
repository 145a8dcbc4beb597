// What gpu.memory has a GPU do with its memory: move it, write patterns into it and look whether they still stand there.
// All of these put their work into the stream and return.
#pragma once

#include <cstddef>
#include <cstdint>

#include "checks/gpu/cuda_handles.h"
#include "checks/gpu/memory_sweeps.h"

namespace rackproof {

// A stretch of memory and the place of its first word. 16-byte aligned, an even number of words.
struct Stretch {
  std::uint64_t* at = nullptr;
  std::size_t words = 0;
  std::uint64_t first = 0;
};

void clear_record(const Stream&, MismatchRecord* record);
void write_pattern(const Stream&, const Stretch&, const Pattern&, bool downward);
// Adds what is wrong to a record on the same GPU.
void verify_pattern(const Stream&, const Stretch&, const Pattern&, bool downward, MismatchRecord* record);
// Verifies each word and writes its complement in its place.
void invert_pattern(const Stream&, const Stretch&, const Pattern&, bool downward, MismatchRecord* record);

// The GPU does nothing for so long.
void dwell(const Stream&, std::uint64_t nanoseconds);

enum class Move { copy, triad, read, write };

// Three arrays of as many words; `a` and `b` are only read.
struct Arrays {
  const std::uint64_t* a = nullptr;
  const std::uint64_t* b = nullptr;
  std::uint64_t* c = nullptr;
  std::size_t words = 0;
  std::uint64_t* sums = nullptr;  // reading_threads() x 2 words: the sum that each thread read, and how often it changed
};

// copy: c = a; triad: c = a + 3 b (64-bit integers, so that every bit can be foretold); read: sums of a; write: a pattern
// (own_address, seed kWriteSeed) into c. `rounds` times over the whole arrays in one launch.
inline constexpr std::uint64_t kWriteSeed = 0x5bd1e995a5a5c3c3ULL;
void start_move(const Stream&, Move, const Arrays&, std::uint64_t rounds, int multiprocessors);
std::size_t reading_threads(int multiprocessors);

}  // namespace rackproof
