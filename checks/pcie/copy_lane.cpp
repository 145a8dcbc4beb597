#include "checks/pcie/copy_lane.h"

#include <algorithm>
#include <chrono>

#include "checks/gpu/cuda_wait.h"

namespace rackproof {
namespace {

constexpr std::chrono::seconds kPatience{30};

// Multiprocessors that a hash is spread over: each thread should have sixteen pairs of words to add up.
int hashed_by(const Gpu& gpu, std::size_t words) {
  constexpr std::size_t kWordsOfMultiprocessor = std::size_t{8} * 256 * 16 * 2;
  return static_cast<int>(std::clamp<std::size_t>(words / kWordsOfMultiprocessor, 1, static_cast<std::size_t>(gpu.multiprocessors)));
}

std::size_t partial_words(int multiprocessors) { return (hash_partials(multiprocessors) + 63) / 64 * 64; }

// The same comparison as on the GPU, by the CPU.
WordErrors compare_on_host(const std::uint64_t* memory, std::size_t words, std::uint64_t seed) {
  WordErrors errors;
  for (std::size_t i = 0; i < words; ++i) {
    const std::uint64_t expected = rackproof_word(seed, i);
    if (memory[i] == expected) continue;
    if (errors.count++ == 0) {
      errors.first = i;
      errors.expected = expected;
      errors.found = memory[i];
    }
    errors.bits |= memory[i] ^ expected;
  }
  return errors;
}

}  // namespace

Hashes expected_hashes(const CopyPattern& pattern) {
  Hashes hashes{};
  for (std::size_t i = 0; i < kSources; ++i) hashes[i] = expected_hash(pattern.seeds[i], pattern.words());
  return hashes;
}

DeviceSide::DeviceSide(const Gpu& one, const CopyPattern& pattern)
    : gpu(one), sources(one.index, kSources * pattern.bytes), ring(one.index, kRing * pattern.bytes) {
  const Stream stream(gpu.index);
  CudaEvent filled(gpu.index);
  for (std::size_t i = 0; i < kSources; ++i) {
    fill_words(stream, sources.get<std::uint64_t>() + i * pattern.words(), pattern.words(), pattern.seeds[i]);
  }
  filled.record(stream);
  need(filled, kPatience, "filling the GPU's memory");
}

HostSide::HostSide(const Gpu& gpu, const CopyPattern& pattern, int node)
    : sources(kSources * pattern.bytes, node, gpu.index), ring(kRing * pattern.bytes, node, gpu.index) {
  for (std::size_t i = 0; i < kSources; ++i) {
    std::uint64_t* const words = sources.get<std::uint64_t>() + i * pattern.words();
    for (std::size_t at = 0; at < pattern.words(); ++at) words[at] = rackproof_word(pattern.seeds[i], at);
  }
}

CopyLane::CopyLane(DeviceSide& device, HostSide& host, const CopyPattern& pattern, const Hashes& expected,
                   Direction direction)
    : device_(device),
      host_(host),
      pattern_(pattern),
      expected_(expected),
      direction_(direction),
      stream_(device.gpu.index),
      hashed_(device.gpu.index),
      looked_(device.gpu.index),
      hashed_by_(hashed_by(device.gpu, pattern.words())),
      partials_(device.gpu.index, kSources * partial_words(hashed_by_) * sizeof(std::uint64_t)),
      sums_(kRing * sizeof(std::uint64_t)),
      errors_(sizeof(WordErrors)) {
  for (std::size_t i = 0; i <= kRing; ++i) marks_.emplace_back(device.gpu.index);
}

std::uint64_t* CopyLane::source(std::uint64_t number) const {
  std::uint64_t* const first = direction_ == Direction::h2d ? host_.sources.get<std::uint64_t>()
                                                            : device_.sources.get<std::uint64_t>();
  return first + number % kSources * pattern_.words();
}

std::uint64_t* CopyLane::place(std::uint64_t number) const {
  std::uint64_t* const first = direction_ == Direction::h2d ? device_.ring.get<std::uint64_t>()
                                                            : host_.ring.get<std::uint64_t>();
  return first + number % kRing * pattern_.words();
}

void CopyLane::queue_copies() {
  marks_.front().record(stream_);
  const auto kind = direction_ == Direction::h2d ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost;
  for (std::size_t i = 1; i <= kRing; ++i) {
    use_gpu(gpu().index);
    cuda_call(cudaMemcpyAsync(place(copies()), source(copies()), pattern_.bytes, kind, stream_.get()), "cudaMemcpyAsync",
              gpu().index);
    ++copies();
    marks_[i].record(stream_);
  }
}

std::vector<TimedCopy> CopyLane::times() const {
  std::vector<TimedCopy> times;
  std::int64_t begin = 0;
  for (std::size_t i = 1; i <= kRing; ++i) {
    const std::int64_t end = nanoseconds_between(marks_.front(), marks_[i]);
    times.push_back({begin, end});
    begin = end;
  }
  return times;
}

void CopyLane::queue_hashes() {
  for (std::size_t i = 0; i < kRing; ++i) {
    const std::uint64_t copy = number(i);
    hash_words(stream_, place(copy), pattern_.words(), hashed_by_,
               partials_.get<std::uint64_t>() + copy % kSources * partial_words(hashed_by_), sums_.get<std::uint64_t>() + i);
  }
  hashed_.record(stream_);
}

WordErrors CopyLane::look(const std::uint64_t* memory, std::uint64_t seed) {
  clear_errors(stream_, errors_.get<WordErrors>());
  compare_words(stream_, memory, pattern_.words(), seed, errors_.get<WordErrors>());
  looked_.record(stream_);
  need(looked_, kPatience, "comparing word by word");
  return *errors_.get<WordErrors>();
}

std::vector<CopyMismatch> CopyLane::mismatches() {
  std::vector<CopyMismatch> found;
  for (std::size_t i = 0; i < kRing; ++i) {
    const std::uint64_t copy = number(i);
    if (sums_.get<volatile std::uint64_t>()[i] == expected_[copy % kSources]) continue;
    const std::uint64_t seed = pattern_.seeds[copy % kSources];
    CopyMismatch one{.copy = copy};
    if (direction_ == Direction::h2d) {
      one.words = look(place(copy), seed);
    } else {
      one.words = compare_on_host(place(copy), pattern_.words(), seed);
      one.is_source_wrong = look(source(copy), seed).count > 0;
    }
    found.push_back(one);
  }
  return found;
}

}  // namespace rackproof
