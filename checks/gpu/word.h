// One 64-bit word that follows from a seed and a place, the same on a GPU and on the host.
#pragma once

#include <cstdint>

// The word at `index` for `seed`: the finaliser of SplitMix64 over both, whose bits are all as likely to be 0 as 1.
#ifdef __CUDACC__
__host__ __device__
#endif
inline std::uint64_t rackproof_word(std::uint64_t seed, std::uint64_t index) {
  std::uint64_t z = seed * 0xd1342543de82ef95ULL + (index + 1) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}
