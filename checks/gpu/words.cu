#include "checks/gpu/words.h"

#include "checks/gpu/launch.h"

namespace {

// Sums that one thread adds up.
constexpr unsigned int kAtATime = 64;

// Of a word at a place: no two places weigh the same, so that swapped words show.
#ifdef __CUDACC__
__host__ __device__
#endif
inline std::uint64_t
weigh(std::uint64_t word, std::uint64_t index) {
  return rackproof_word(word, index);
}

}  // namespace

// A thread takes two words (16 bytes) at a time, and the next ones a whole grid further on.
extern "C" __global__ void rackproof_fill_words(ulonglong2* memory, unsigned long long pairs, unsigned long long seed,
                                                unsigned long long first_index) {
  const unsigned long long step = static_cast<unsigned long long>(gridDim.x) * blockDim.x;
  for (unsigned long long i = static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < pairs; i += step) {
    ulonglong2 two;
    two.x = rackproof_word(seed, first_index + 2 * i);
    two.y = rackproof_word(seed, first_index + 2 * i + 1);
    memory[i] = two;
  }
}

extern "C" __global__ void rackproof_compare_words(const ulonglong2* memory, unsigned long long pairs,
                                                   unsigned long long seed, unsigned long long first_index,
                                                   unsigned long long* errors) {
  const unsigned long long step = static_cast<unsigned long long>(gridDim.x) * blockDim.x;
  for (unsigned long long i = static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < pairs; i += step) {
    const ulonglong2 two = memory[i];
    for (unsigned int half = 0; half < 2; ++half) {
      const unsigned long long found = half == 0 ? two.x : two.y;
      const unsigned long long expected = rackproof_word(seed, first_index + 2 * i + half);
      if (found == expected) continue;
      atomicAdd(&errors[0], 1ULL);
      if (atomicMin(&errors[1], 2 * i + half) > 2 * i + half) {
        // Of the first wrong word as far as it is known now; a later thread with an earlier word writes again.
        errors[2] = expected;
        errors[3] = found;
      }
      atomicOr(&errors[4], found ^ expected);
    }
  }
}

extern "C" __global__ void rackproof_clear_errors(unsigned long long* errors, unsigned int how_many) {
  const unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= how_many) return;
  for (unsigned int field = 0; field < 5; ++field) errors[5 * i + field] = field == 1 ? ~0ULL : 0ULL;
}

// Each thread's own sum; they are added up by the kernel after it, since threads here share nothing.
extern "C" __global__ void rackproof_hash_words(const ulonglong2* memory, unsigned long long pairs,
                                                unsigned long long* partial) {
  const unsigned long long thread = static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  const unsigned long long step = static_cast<unsigned long long>(gridDim.x) * blockDim.x;
  unsigned long long sum = 0;
  for (unsigned long long i = thread; i < pairs; i += step) {
    const ulonglong2 two = memory[i];
    sum += weigh(two.x, 2 * i) + weigh(two.y, 2 * i + 1);
  }
  partial[thread] = sum;
}

extern "C" __global__ void rackproof_add_partials(const unsigned long long* partial, unsigned long long partials,
                                                  unsigned long long* smaller) {
  const unsigned long long thread = static_cast<unsigned long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (thread * kAtATime >= partials) return;
  unsigned long long sum = 0;
  for (unsigned long long i = thread * kAtATime; i < (thread + 1) * kAtATime && i < partials; ++i) sum += partial[i];
  smaller[thread] = sum;
}

namespace rackproof {
namespace {

constexpr unsigned int kThreads = 256;

// Enough threads to keep every multiprocessor of the largest GPU busy; more would only wait.
Shape over(std::size_t pairs) {
  constexpr std::size_t kMostBlocks = 2048;
  const std::size_t blocks = (pairs + kThreads - 1) / kThreads;
  return {static_cast<unsigned int>(blocks < kMostBlocks ? (blocks == 0 ? 1 : blocks) : kMostBlocks), kThreads};
}

// Blocks a multiprocessor: eight of 256 threads fill it.
constexpr unsigned int kBlocksOfHash = 8;

std::size_t fewer(std::size_t sums) { return (sums + kAtATime - 1) / kAtATime; }

auto* longs(std::uint64_t* p) { return reinterpret_cast<unsigned long long*>(p); }

}  // namespace

void fill_words(const Stream& stream, std::uint64_t* memory, std::size_t words, std::uint64_t seed,
                std::uint64_t first_index) {
  launch(rackproof_fill_words, over(words / 2), stream, reinterpret_cast<ulonglong2*>(memory), words / 2, seed, first_index);
}

void compare_words(const Stream& stream, const std::uint64_t* memory, std::size_t words, std::uint64_t seed,
                   WordErrors* errors, std::uint64_t first_index) {
  static_assert(sizeof(WordErrors) == 5 * sizeof(unsigned long long));
  launch(rackproof_compare_words, over(words / 2), stream, reinterpret_cast<const ulonglong2*>(memory), words / 2, seed,
         first_index, reinterpret_cast<unsigned long long*>(errors));
}

void clear_errors(const Stream& stream, WordErrors* errors, std::size_t how_many) {
  const auto blocks = static_cast<unsigned int>((how_many + kThreads - 1) / kThreads);
  launch(rackproof_clear_errors, {blocks, kThreads}, stream, reinterpret_cast<unsigned long long*>(errors), how_many);
}

std::size_t hash_partials(int multiprocessors) {
  // One sum for each thread of the kernel, and behind them those of the rounds that add them up.
  std::size_t sums = static_cast<std::size_t>(multiprocessors) * kBlocksOfHash * kThreads;
  std::size_t all = sums;
  while (sums > 1) all += sums = fewer(sums);
  return all;
}

void hash_words(const Stream& stream, const std::uint64_t* memory, std::size_t words, int multiprocessors,
                std::uint64_t* partial, std::uint64_t* sum) {
  const auto blocks = static_cast<unsigned int>(multiprocessors) * kBlocksOfHash;
  launch(rackproof_hash_words, {blocks, kThreads}, stream, reinterpret_cast<const ulonglong2*>(memory), words / 2,
         longs(partial));
  for (std::size_t sums = std::size_t{blocks} * kThreads; sums > 1;) {
    const std::size_t next = fewer(sums);
    std::uint64_t* const to = next == 1 ? sum : partial + sums;
    launch(rackproof_add_partials, {static_cast<unsigned int>((next + kThreads - 1) / kThreads), kThreads}, stream,
           longs(partial), sums, longs(to));
    partial += sums;
    sums = next;
  }
}

std::uint64_t expected_hash(std::uint64_t seed, std::size_t words, std::uint64_t first_index) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < words; ++i) sum += weigh(rackproof_word(seed, first_index + i), i);
  return sum;
}

}  // namespace rackproof
