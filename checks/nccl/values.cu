#include "checks/nccl/values.h"

#include <cstring>

#include "checks/gpu/launch.h"

namespace {

using Word = unsigned long long;

constexpr unsigned int kMark = 0x7fc0beefU;  // a NaN that nothing computes

RACKPROOF_BOTH inline unsigned int bits_of(int number) {
  const float value = static_cast<float>(number);
  unsigned int bits = 0;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The vector with `from` in its first `numbers` lanes, marks in the others.
RACKPROOF_BOTH inline uint4 vector_of(const int from[4], Word numbers) {
  uint4 four;
  four.x = numbers > 0 ? bits_of(from[0]) : kMark;
  four.y = numbers > 1 ? bits_of(from[1]) : kMark;
  four.z = numbers > 2 ? bits_of(from[2]) : kMark;
  four.w = numbers > 3 ? bits_of(from[3]) : kMark;
  return four;
}

}  // namespace

extern "C" __global__ void rackproof_nccl_fill_given(uint4* memory, Word vectors, Word given_at, Word given, Word seed,
                                                     int rank) {
  const Word step = static_cast<Word>(gridDim.x) * blockDim.x;
  for (Word i = static_cast<Word>(blockIdx.x) * blockDim.x + threadIdx.x; i < vectors; i += step) {
    int numbers[4] = {0, 0, 0, 0};
    const bool is_given = i >= given_at && (i - given_at) * 4 < given;
    if (is_given) rackproof_add_given(seed, rank, i - given_at, numbers);
    memory[i] = vector_of(numbers, is_given ? given - (i - given_at) * 4 : 0);
  }
}

extern "C" __global__ void rackproof_nccl_fill_expected(uint4* memory, Word received, int what, Word seed, int ranks,
                                                        int rank, Word part_vectors) {
  const Word step = static_cast<Word>(gridDim.x) * blockDim.x;
  for (Word i = static_cast<Word>(blockIdx.x) * blockDim.x + threadIdx.x; i * 4 < received; i += step) {
    int numbers[4];
    rackproof_expect(what, seed, ranks, rank, part_vectors, i, numbers);
    memory[i] = vector_of(numbers, received - i * 4);
  }
}

// Place and bits in one word, so that the first one is kept whole whoever else writes.
extern "C" __global__ void rackproof_nccl_find_wrong(const uint4* memory, Word received, int what, Word seed, int ranks,
                                                     int rank, Word part_vectors, const Word* sum, Word right_sum,
                                                     Word* wrong) {
  if (sum != nullptr && *sum == right_sum) return;
  const Word step = static_cast<Word>(gridDim.x) * blockDim.x;
  for (Word i = static_cast<Word>(blockIdx.x) * blockDim.x + threadIdx.x; i * 4 < received; i += step) {
    int numbers[4];
    rackproof_expect(what, seed, ranks, rank, part_vectors, i, numbers);
    const uint4 right = vector_of(numbers, received - i * 4);
    const uint4 found = memory[i];
    const unsigned int expected[4] = {right.x, right.y, right.z, right.w};
    const unsigned int is[4] = {found.x, found.y, found.z, found.w};
    for (Word lane = 0; lane < 4; ++lane) {
      if (expected[lane] == is[lane]) continue;
      atomicAdd(&wrong[0], Word{1});
      atomicMin(&wrong[1], (i * 4 + lane) << 32 | is[lane]);
    }
  }
}

extern "C" __global__ void rackproof_nccl_clear_wrong(Word* wrong, unsigned int how_many) {
  const unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= how_many) return;
  wrong[2 * i] = 0;
  wrong[2 * i + 1] = ~Word{0};
}

namespace rackproof {
namespace {

constexpr unsigned int kThreads = 256;

Shape over(std::size_t vectors, std::size_t most_blocks) {
  const std::size_t blocks = (vectors + kThreads - 1) / kThreads;
  return {static_cast<unsigned int>(blocks < most_blocks ? (blocks == 0 ? 1 : blocks) : most_blocks), kThreads};
}

auto* vectors_of(float* memory) { return reinterpret_cast<uint4*>(memory); }

}  // namespace

void fill_given(const Stream& stream, float* memory, std::size_t length, std::size_t given_at, std::size_t given,
                std::uint64_t seed, int rank) {
  launch(rackproof_nccl_fill_given, over(length / 4, 2048), stream, vectors_of(memory), length / 4, given_at / 4, given,
         seed, given == 0 ? 0 : rank);
}

void fill_expected(const Stream& stream, float* memory, const RankOutput& output, std::uint64_t seed) {
  // The rank is told only where it matters: work that is known to be the same need be simulated only once.
  const bool is_own = output.what == 2 || output.what == 3 || output.what == 5;
  launch(rackproof_nccl_fill_expected, over((output.received + 3) / 4, 2048), stream, vectors_of(memory),
         output.received, output.what, seed, output.ranks, is_own ? output.rank : 0, output.part / 4);
}

void find_wrong(const Stream& stream, const float* memory, const RankOutput& output, std::uint64_t seed,
                const std::uint64_t* sum, std::uint64_t right_sum, WrongElements* wrong) {
  // Nearly always it has nothing to do, so few threads are started.
  launch(rackproof_nccl_find_wrong, over((output.received + 3) / 4, 64), stream, reinterpret_cast<const uint4*>(memory),
         output.received, output.what, seed, output.ranks, output.rank, output.part / 4,
         reinterpret_cast<const Word*>(sum), right_sum, reinterpret_cast<Word*>(wrong));
}

void clear_wrong(const Stream& stream, WrongElements* wrong, std::size_t how_many) {
  static_assert(sizeof(WrongElements) == 2 * sizeof(Word), "two words");
  launch(rackproof_nccl_clear_wrong, over(how_many, 2048), stream, reinterpret_cast<Word*>(wrong),
         static_cast<unsigned int>(how_many));
}

double expected_at(const RankOutput& output, std::uint64_t seed, std::size_t place) {
  int numbers[4];
  rackproof_expect(output.what, seed, output.ranks, output.rank, output.part / 4, place / 4, numbers);
  return numbers[place % 4];
}

double found_at(const WrongElements& wrong) {
  const auto bits = static_cast<unsigned int>(wrong.first & 0xffffffffU);
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return static_cast<double>(value);
}

int source_of(const RankOutput& output, std::size_t place) {
  return rackproof_source(output.what, output.ranks, output.rank, output.part / 4, place / 4);
}

}  // namespace rackproof
