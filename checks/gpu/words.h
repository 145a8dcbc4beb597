// Memory as 64-bit words whose right content follows from a seed and the word's place, so that any copy of it can be
// verified where it lies, at the speed of that memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "checks/gpu/cuda_handles.h"
#include "checks/gpu/word.h"

namespace rackproof {

// What was found to be wrong in one look over memory.
struct WordErrors {
  std::uint64_t count = 0;     // wrong words
  std::uint64_t first = 0;     // place of the first wrong word, in words; meaningless when count is 0
  std::uint64_t expected = 0;  // there
  std::uint64_t found = 0;
  std::uint64_t bits = 0;      // every bit that was wrong in any word
};

// All of these put their work into the stream and return. `words` must be a multiple of 2 and 16-byte aligned.
void fill_words(const Stream&, std::uint64_t* memory, std::size_t words, std::uint64_t seed, std::uint64_t first_index = 0);

// Adds to `errors`, which is device or pinned memory that clear_errors() has prepared. `expected` and `found` of the first
// wrong word are read by whoever wants them, from the place itself.
void compare_words(const Stream&, const std::uint64_t* memory, std::size_t words, std::uint64_t seed, WordErrors* errors,
                   std::uint64_t first_index = 0);
void clear_errors(const Stream&, WordErrors* errors, std::size_t how_many = 1);

// A sum over mixed words that any change of any bit changes, written to *sum. `partial` holds hash_partials() words and
// belongs to this call until it has run.
std::size_t hash_partials(int multiprocessors);
void hash_words(const Stream&, const std::uint64_t* memory, std::size_t words, int multiprocessors, std::uint64_t* partial,
                std::uint64_t* sum);

// The same sum for what fill_words writes, computed on the host.
std::uint64_t expected_hash(std::uint64_t seed, std::size_t words, std::uint64_t first_index = 0);

}  // namespace rackproof
