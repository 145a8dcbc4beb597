#include "checks/gpu/memory_kernels.h"

#include "checks/gpu/launch.h"
#include "checks/gpu/words.h"

namespace {

using Word = unsigned long long;

__host__ __device__ inline Word pattern_word(Word kind, Word seed, Word place) {
  switch (kind) {
    case rackproof::Pattern::own_address: return (8 * place) ^ seed;
    case rackproof::Pattern::random: return rackproof_word(seed, place);
    case rackproof::Pattern::constant: return seed;
    default: return rackproof_word(seed, place) + 3 * rackproof_word(seed + 1, place);
  }
}

__device__ inline void record_mismatch(Word* record, Word place, Word expected, Word found) {
  const Word number = atomicAdd(&record[0], 1ULL);
  atomicOr(&record[1], expected ^ found);
  if (number >= rackproof::kMostMismatches) return;
  record[2 + 3 * number] = place;
  record[3 + 3 * number] = expected;
  record[4 + 3 * number] = found;
}

__device__ inline Word this_thread() { return static_cast<Word>(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ inline Word all_threads() { return static_cast<Word>(gridDim.x) * blockDim.x; }

// Vectors that a thread has under way at once.
constexpr unsigned int kAtOnce = 4;

}  // namespace

extern "C" __global__ void rackproof_memory_clear(Word* record, Word words) {
  for (Word i = this_thread(); i < words; i += all_threads()) record[i] = 0;
}

// `last` is 0 for upward; downward it is the number of the last pair, from which is counted back.
extern "C" __global__ void rackproof_memory_write(ulonglong2* memory, Word pairs, Word kind, Word seed, Word mask, Word first,
                                                  Word last) {
  for (Word n = this_thread(); n < pairs; n += all_threads()) {
    const Word i = last == 0 ? n : last - n;
    ulonglong2 two;
    two.x = pattern_word(kind, seed, first + 2 * i) ^ mask;
    two.y = pattern_word(kind, seed, first + 2 * i + 1) ^ mask;
    memory[i] = two;
  }
}

extern "C" __global__ void rackproof_memory_verify(const ulonglong2* memory, Word pairs, Word kind, Word seed, Word mask,
                                                   Word first, Word last, Word* record) {
  for (Word n = this_thread(); n < pairs; n += all_threads()) {
    const Word i = last == 0 ? n : last - n;
    const ulonglong2 two = memory[i];
    const Word x = pattern_word(kind, seed, first + 2 * i) ^ mask;
    const Word y = pattern_word(kind, seed, first + 2 * i + 1) ^ mask;
    if (two.x != x) record_mismatch(record, first + 2 * i, x, two.x);
    if (two.y != y) record_mismatch(record, first + 2 * i + 1, y, two.y);
  }
}

// Writes the complement of what should have been there, so that a wrong bit is found once and not carried on.
extern "C" __global__ void rackproof_memory_invert(ulonglong2* memory, Word pairs, Word kind, Word seed, Word mask, Word first,
                                                   Word last, Word* record) {
  for (Word n = this_thread(); n < pairs; n += all_threads()) {
    const Word i = last == 0 ? n : last - n;
    const ulonglong2 two = memory[i];
    const Word x = pattern_word(kind, seed, first + 2 * i) ^ mask;
    const Word y = pattern_word(kind, seed, first + 2 * i + 1) ^ mask;
    if (two.x != x) record_mismatch(record, first + 2 * i, x, two.x);
    if (two.y != y) record_mismatch(record, first + 2 * i + 1, y, two.y);
    ulonglong2 turned;
    turned.x = ~x;
    turned.y = ~y;
    memory[i] = turned;
  }
}

extern "C" __global__ void rackproof_memory_dwell(Word nanoseconds) {
#ifdef __CUDA_ARCH__
  Word begin = 0;
  Word now = 0;
  asm volatile("mov.u64 %0, %globaltimer;" : "=l"(begin));
  do {
    __nanosleep(100000);
    asm volatile("mov.u64 %0, %globaltimer;" : "=l"(now));
  } while (now - begin < nanoseconds);
#else
  static_cast<void>(nanoseconds);
#endif
}

extern "C" __global__ void rackproof_memory_copy(ulonglong2* to, const ulonglong2* from, Word pairs, Word rounds) {
  const Word step = all_threads();
  for (Word round = 0; round < rounds; ++round) {
    Word i = this_thread();
    for (; i + (kAtOnce - 1) * step < pairs; i += kAtOnce * step) {
      ulonglong2 some[kAtOnce];
      for (unsigned int k = 0; k < kAtOnce; ++k) some[k] = from[i + k * step];
      for (unsigned int k = 0; k < kAtOnce; ++k) to[i + k * step] = some[k];
    }
    for (; i < pairs; i += step) to[i] = from[i];
  }
}

extern "C" __global__ void rackproof_memory_triad(ulonglong2* to, const ulonglong2* a, const ulonglong2* b, Word pairs,
                                                  Word rounds) {
  const Word step = all_threads();
  for (Word round = 0; round < rounds; ++round) {
    for (Word i = this_thread(); i < pairs; i += 2 * step) {
      const bool has_second = i + step < pairs;
      const Word j = has_second ? i + step : i;
      const ulonglong2 a0 = a[i], b0 = b[i], a1 = a[j], b1 = b[j];
      ulonglong2 sum;
      sum.x = a0.x + 3 * b0.x;
      sum.y = a0.y + 3 * b0.y;
      to[i] = sum;
      if (!has_second) continue;
      sum.x = a1.x + 3 * b1.x;
      sum.y = a1.y + 3 * b1.y;
      to[j] = sum;
    }
  }
}

// Each round's sum is compared with the first round's: none of them can be left out, and a read that differs is seen.
extern "C" __global__ void rackproof_memory_read(const ulonglong2* from, Word pairs, Word rounds, Word* sums) {
  const Word step = all_threads();
  Word of_first_round = 0;
  Word changes = 0;
  for (Word round = 0; round < rounds; ++round) {
    Word sum = 0;
    Word i = this_thread();
    for (; i + (kAtOnce - 1) * step < pairs; i += kAtOnce * step) {
      ulonglong2 some[kAtOnce];
      for (unsigned int k = 0; k < kAtOnce; ++k) some[k] = from[i + k * step];
      for (unsigned int k = 0; k < kAtOnce; ++k) sum += some[k].x + some[k].y;
    }
    for (; i < pairs; i += step) sum += from[i].x + from[i].y;
    if (round == 0) of_first_round = sum;
    if (sum != of_first_round) ++changes;
  }
  sums[2 * this_thread()] = of_first_round;
  sums[2 * this_thread() + 1] = changes;
}

extern "C" __global__ void rackproof_memory_set(ulonglong2* to, Word pairs, Word seed, Word rounds) {
  for (Word round = 0; round < rounds; ++round) {
    for (Word i = this_thread(); i < pairs; i += all_threads()) {
      ulonglong2 two;
      two.x = (16 * i) ^ seed;
      two.y = (16 * i + 8) ^ seed;
      to[i] = two;
    }
  }
}

namespace rackproof {
namespace {

constexpr unsigned int kThreads = 256;
constexpr unsigned int kBlocksEach = 8;  // a multiprocessor: as many threads as it can hold

Shape all_of(int multiprocessors) { return {static_cast<unsigned int>(multiprocessors) * kBlocksEach, kThreads}; }

// Enough to fill any GPU, and no more blocks than there is work for.
Shape over(std::size_t pairs) {
  constexpr std::size_t kMostBlocks = 2048;
  const std::size_t blocks = (pairs + kThreads - 1) / kThreads;
  return {static_cast<unsigned int>(blocks < kMostBlocks ? (blocks == 0 ? 1 : blocks) : kMostBlocks), kThreads};
}

Word* plain(std::uint64_t* p) { return reinterpret_cast<Word*>(p); }
Word* plain(MismatchRecord* p) { return reinterpret_cast<Word*>(p); }
ulonglong2* vectors(std::uint64_t* p) { return reinterpret_cast<ulonglong2*>(p); }
const ulonglong2* vectors(const std::uint64_t* p) { return reinterpret_cast<const ulonglong2*>(p); }
Word mask_of(const Pattern& pattern) { return pattern.inverted ? ~0ULL : 0ULL; }
Word last_of(const Stretch& memory, bool downward) { return downward ? memory.words / 2 - 1 : 0; }

}  // namespace

void clear_record(const Stream& stream, MismatchRecord* record) {
  launch(rackproof_memory_clear, {1, 32}, stream, plain(record), sizeof *record / sizeof(Word));
}

void write_pattern(const Stream& stream, const Stretch& memory, const Pattern& pattern, bool downward) {
  launch(rackproof_memory_write, over(memory.words / 2), stream, vectors(memory.at), memory.words / 2, pattern.kind,
         pattern.seed, mask_of(pattern), memory.first, last_of(memory, downward));
}

void verify_pattern(const Stream& stream, const Stretch& memory, const Pattern& pattern, bool downward,
                    MismatchRecord* record) {
  launch(rackproof_memory_verify, over(memory.words / 2), stream, vectors(memory.at), memory.words / 2, pattern.kind,
         pattern.seed, mask_of(pattern), memory.first, last_of(memory, downward), plain(record));
}

void invert_pattern(const Stream& stream, const Stretch& memory, const Pattern& pattern, bool downward,
                    MismatchRecord* record) {
  launch(rackproof_memory_invert, over(memory.words / 2), stream, vectors(memory.at), memory.words / 2, pattern.kind,
         pattern.seed, mask_of(pattern), memory.first, last_of(memory, downward), plain(record));
}

void dwell(const Stream& stream, std::uint64_t nanoseconds) {
  launch(rackproof_memory_dwell, {1, 1}, stream, nanoseconds);
}

std::size_t reading_threads(int multiprocessors) {
  return static_cast<std::size_t>(multiprocessors) * kBlocksEach * kThreads;
}

void start_move(const Stream& stream, Move move, const Arrays& arrays, std::uint64_t rounds, int multiprocessors) {
  const Shape shape = all_of(multiprocessors);
  const std::size_t pairs = arrays.words / 2;
  switch (move) {
    case Move::copy:
      return launch(rackproof_memory_copy, shape, stream, vectors(arrays.c), vectors(arrays.a), pairs, rounds);
    case Move::triad:
      return launch(rackproof_memory_triad, shape, stream, vectors(arrays.c), vectors(arrays.a), vectors(arrays.b), pairs,
                    rounds);
    case Move::read:
      return launch(rackproof_memory_read, shape, stream, vectors(arrays.a), pairs, rounds, plain(arrays.sums));
    case Move::write:
      return launch(rackproof_memory_set, shape, stream, vectors(arrays.c), pairs, kWriteSeed, rounds);
  }
}

}  // namespace rackproof
