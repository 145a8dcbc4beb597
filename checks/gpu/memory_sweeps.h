// The patterns that gpu.memory writes, in which order it goes over the memory with them, and what it says of a mismatch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace rackproof {

// What a word holds, by its place. `inverted` turns every bit of it.
struct Pattern {
  enum Kind : unsigned {
    own_address,  // eight times its place, exclusive-or the seed
    random,       // rackproof_word(seed, place)
    constant,     // the seed
    triad,        // what the triad makes of two arrays filled with `random`, of this seed and the next
  };
  Kind kind = random;
  std::uint64_t seed = 0;
  bool inverted = false;
};

// Mismatches that one record can name, besides counting all of them.
inline constexpr std::size_t kMostMismatches = 8;

// As a kernel fills it.
struct MismatchRecord {
  std::uint64_t count = 0;  // wrong words
  std::uint64_t bits = 0;   // every bit that was wrong in any of them
  struct Mismatch {
    std::uint64_t place = 0;  // in words
    std::uint64_t expected = 0;
    std::uint64_t found = 0;
  } named[kMostMismatches] = {};
};

// Once over all of the memory.
struct Sweep {
  enum Act { write, invert, verify } act = write;  // invert: verify, and write the complement
  Pattern pattern;                                 // written, or expected
  bool downward = false;
  bool after_dwell = false;  // the memory was left alone before it

  // Of the bytes of the memory, read and written.
  int traffic() const { return act == invert ? 2 : 1; }
};

// Own address and complement, random and complement, and moving inversions of two constants. The random words and the
// constants differ from pass to pass.
std::vector<Sweep> sweeps_of_pass(std::uint64_t pass);

// "random words inverted, downward"
std::string to_text(const Sweep&);

// Of all sweeps over one GPU's memory.
struct Mismatches {
  std::uint64_t count = 0;
  std::uint64_t bits = 0;
  struct Named {
    MismatchRecord::Mismatch at;
    std::string during;
  };
  std::vector<Named> named;  // the first of each place, kMostMismatches at the most

  void add(const MismatchRecord&, const Sweep&);
};

// One sentence with the figures. `chunks` are the sizes in bytes of the allocations that the tested memory consists of.
std::string to_text(const Mismatches&, const std::vector<std::size_t>& chunks);

}  // namespace rackproof
