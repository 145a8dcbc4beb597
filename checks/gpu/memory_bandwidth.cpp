// Rates of a GPU's own memory, of all GPUs of a crew at once.
#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checks/gpu/histories.h"
#include "checks/gpu/memory_kernels.h"
#include "checks/gpu/memory_phases.h"
#include "checks/gpu/memory_sizes.h"
#include "checks/gpu/words.h"

namespace rackproof {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kSampleNs = 100'000'000;
constexpr std::int64_t kAtMostNs = 10'000'000'000;  // of each kind, until it counts as unsteady
constexpr auto kPatience = 60s;                      // for a sample: a GPU that needs longer hangs
constexpr std::uint64_t kSeed = 0x1d;                // of array a; b has the next one

struct Kind {
  Move move;
  const char* metric;
  int bytes_a_byte;   // STREAM's way: what the program reads and writes, for each byte of an array
  Pattern leaves;     // in array c
};
constexpr Kind kKinds[] = {
    {Move::copy, "copy", 2, {Pattern::random, kSeed, false}},
    {Move::triad, "triad", 3, {Pattern::triad, kSeed, false}},
    {Move::write, "write", 1, {Pattern::own_address, kWriteSeed, false}},
    {Move::read, "read", 1, {Pattern::own_address, kWriteSeed, false}},  // which it leaves as it is
};

// What one GPU works on.
struct Bench {
  Bench(const Gpu& gpu, std::size_t bytes)
      : a(gpu.index, bytes),
        b(gpu.index, bytes),
        c(gpu.index, bytes),
        sums(gpu.index, sizeof(std::uint64_t) * 2 * reading_threads(gpu.multiprocessors)),
        record(gpu.index, sizeof(MismatchRecord)),
        seen(sizeof(MismatchRecord)),
        seen_sums(sums.bytes()) {}
  Arrays arrays() const {
    return {a.get<std::uint64_t>(), b.get<std::uint64_t>(), c.get<std::uint64_t>(), a.bytes() / 8,
            sums.get<std::uint64_t>()};
  }
  DeviceMemory a, b, c, sums, record;
  PinnedMemory seen, seen_sums;
};

using Benches = std::vector<std::optional<Bench>>;  // by hand; none: it has no room

std::string readable_mib(std::size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

Benches set_up(Context& context, Crew& crew) {
  Benches benches(crew.size());
  std::string small;
  std::string cached;
  for (std::size_t i = 0; i < crew.size(); ++i) {
    Hand& hand = crew.hands()[i];
    crew.attempt(hand, [&] {
      std::size_t free = 0;
      std::size_t total = 0;
      use_gpu(hand.gpu.index);
      cuda_call(cudaMemGetInfo(&free, &total), "cudaMemGetInfo", hand.gpu.index);
      const std::size_t bytes = array_bytes(free, hand.gpu.l2_bytes);
      const bool fits = is_beyond_cache(bytes, hand.gpu.l2_bytes);
      // Where most of the memory is free it is the GPU that is small; where it is not, somebody else holds it.
      if (bytes == 0 || (!fits && free < total / 2)) {
        small = hand.gpu.id + ": bandwidth not measured, because only " + readable_mib(free) + " of " + readable_mib(total) +
                " of its memory are free";
        context.note(small);
        return;
      }
      if (!fits) cached = readable_mib(bytes);
      benches[i].emplace(hand.gpu, bytes);
    });
  }
  if (!cached.empty()) {
    context.note("arrays of " + cached + " are less than four times the L2 cache, which may have had a part in the rates");
  }
  return benches;
}

// Time of one launch of each, for all of the crew.
std::vector<std::int64_t> take(Crew& crew, Benches& benches, Move move, const std::vector<std::uint64_t>& rounds) {
  return crew.together(
      [&](Hand& hand) {
        const auto i = hand.number;
        if (benches[i]) start_move(hand.stream, move, benches[i]->arrays(), rounds[i], hand.gpu.multiprocessors);
      },
      kPatience);
}

// How often each has to go over its arrays to fill a sample.
std::vector<std::uint64_t> rounds_for(Crew& crew, Benches& benches, Move move) {
  std::vector<std::uint64_t> rounds(crew.size(), 1);
  take(crew, benches, move, rounds);  // the first launch of a kernel loads it
  const std::vector<std::int64_t> once = take(crew, benches, move, rounds);
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    if (once[i] > 0) rounds[i] = static_cast<std::uint64_t>(std::max<std::int64_t>(1, kSampleNs / once[i]));
  }
  return rounds;
}

std::uint64_t sum_of_words(std::size_t words) {
  static std::map<std::size_t, std::uint64_t> known;
  const auto [at, is_new] = known.try_emplace(words, 0);
  if (is_new) {
    for (std::size_t i = 0; i < words; ++i) at->second += rackproof_word(kSeed, i);
  }
  return at->second;
}

// Every word that was written, and every sum that was read.
void verify(Context& context, Crew& crew, Benches& benches, const Kind& kind) {
  crew.together(
      [&](Hand& hand) {
        auto& bench = benches[hand.number];
        if (!bench) return;
        auto* const record = bench->record.get<MismatchRecord>();
        clear_record(hand.stream, record);
        verify_pattern(hand.stream, {bench->c.get<std::uint64_t>(), bench->c.bytes() / 8, 0}, kind.leaves, false, record);
        cuda_call(cudaMemcpyAsync(bench->seen.get(), record, sizeof *record, cudaMemcpyDeviceToHost, hand.stream.get()),
                  "cudaMemcpyAsync", hand.gpu.index);
        if (kind.move != Move::read) return;
        cuda_call(cudaMemcpyAsync(bench->seen_sums.get(), bench->sums.get(), bench->sums.bytes(), cudaMemcpyDeviceToHost,
                                  hand.stream.get()),
                  "cudaMemcpyAsync", hand.gpu.index);
      },
      kPatience);
  for (std::size_t i = 0; i < crew.size(); ++i) {
    const Hand& hand = crew.hands()[i];
    if (!benches[i] || hand.is_out) continue;
    const Bench& bench = *benches[i];
    Mismatches found;
    found.add(*bench.seen.get<MismatchRecord>(), {Sweep::verify, kind.leaves, false, false});
    if (found.count > 0) {
      context.fault(hand.gpu.id, "data-mismatch", std::string(kind.metric) + " left " + to_text(found, {bench.c.bytes()}));
    }
    if (kind.move != Move::read) continue;
    const auto* const sums = bench.seen_sums.get<std::uint64_t>();
    std::uint64_t sum = 0;
    std::uint64_t changes = 0;
    for (std::size_t n = 0; n < bench.sums.bytes() / 16; ++n) {
      sum += sums[2 * n];
      changes += sums[2 * n + 1];
    }
    if (const std::uint64_t right = sum_of_words(bench.a.bytes() / 8); sum != right || changes > 0) {
      context.fault(hand.gpu.id, "data-mismatch",
                    "read a sum of " + std::to_string(sum) + " over " + readable_mib(bench.a.bytes()) + " instead of " +
                        std::to_string(right) + "; it changed " + std::to_string(changes) + " times between rounds");
    }
  }
}

void measure_kind(Context& context, Crew& crew, Benches& benches, const Kind& kind) {
  const std::vector<std::uint64_t> rounds = rounds_for(crew, benches, kind.move);
  std::vector<History> histories(crew.size());
  do {
    const std::vector<std::int64_t> times = take(crew, benches, kind.move, rounds);
    for (std::size_t i = 0; i < crew.size(); ++i) {
      if (crew.hands()[i].is_out) histories[i].clear();
      if (!benches[i] || times[i] == 0) continue;
      const auto bytes = static_cast<std::int64_t>(benches[i]->a.bytes() * rounds[i]) * kind.bytes_a_byte;
      histories[i].push_back({bytes, times[i]});
    }
  } while (!crew.is_gone() && !all_are_steady(histories) && longest_ns(histories) < kAtMostNs);
  verify(context, crew, benches, kind);
  for (std::size_t i = 0; i < crew.size(); ++i) {
    if (histories[i].empty() || crew.hands()[i].is_out) continue;
    context.measure(to_measurement(final_estimate(histories[i]), kind.metric, crew.hands()[i].gpu.id, "GB/s"));
  }
}

}  // namespace

void measure_memory_bandwidth(Context& context, Crew& crew) {
  Benches benches = set_up(context, crew);
  if (std::ranges::none_of(benches, [](const auto& one) { return one.has_value(); })) return;
  crew.together(
      [&](Hand& hand) {
        auto& bench = benches[hand.number];
        if (!bench) return;
        fill_words(hand.stream, bench->a.get<std::uint64_t>(), bench->a.bytes() / 8, kSeed);
        fill_words(hand.stream, bench->b.get<std::uint64_t>(), bench->b.bytes() / 8, kSeed + 1);
      },
      kPatience);
  for (const Kind& kind : kKinds) {
    if (crew.is_gone()) return;
    measure_kind(context, crew, benches, kind);
  }
}

}  // namespace rackproof
