#include "checks/gpu/p2p_latency.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "checks/gpu/chase.h"
#include "checks/gpu/random_cycle.h"

namespace rackproof {
namespace {

using namespace std::chrono_literals;

// 2 MiB: more than any cache of the reader could hold of a peer, and within its owner's L2, so that the figure is that of
// the way and not of the far memory.
constexpr std::size_t kCells = (2 << 20) / kCycleStride;
constexpr std::uint64_t kSeed = 11;
constexpr std::uint64_t kFirstSteps = 2003;
constexpr std::int64_t kSampleNs = 50'000'000;
constexpr std::int64_t kAtMostNs = 5'000'000'000;
constexpr auto kPatience = 30s;

struct Ground {
  explicit Ground(const Gpu& gpu) : cycle(gpu.index, kCells * kCycleStride), last(sizeof(std::uint64_t)) {}
  DeviceMemory cycle;
  PinnedMemory last;
};

}  // namespace

Latencies measure_latencies(Context& context, Crew& crew, const std::vector<std::vector<bool>>& reaches) {
  const std::vector<std::uint64_t> cycle = random_cycle(kCells, kSeed);
  PinnedMemory image(cycle.size() * sizeof cycle[0]);
  std::ranges::copy(cycle, image.get<std::uint64_t>());
  std::vector<std::optional<Ground>> grounds(crew.size());
  for (Hand& hand : crew.hands()) {
    // Nobody who takes no part, as one without room for it.
    if (std::ranges::find(reaches[hand.number], true) == reaches[hand.number].end()) continue;
    crew.attempt(hand, [&] { grounds[hand.number].emplace(hand.gpu); });
  }
  crew.together(
      [&](Hand& hand) {
        if (!grounds[hand.number]) return;
        cuda_call(cudaMemcpyAsync(grounds[hand.number]->cycle.get(), image.get(), image.bytes(), cudaMemcpyHostToDevice,
                                  hand.stream.get()),
                  "cudaMemcpyAsync", hand.gpu.index);
      },
      kPatience);

  Latencies result;
  for (std::size_t distance = 1; distance < crew.size(); ++distance) {
    const auto peer_of = [&](std::size_t i) { return (i + distance) % crew.size(); };
    const auto is_chased = [&](std::size_t i) {
      return reaches[i][peer_of(i)] && grounds[i] && grounds[peer_of(i)] && !crew.hands()[i].is_out &&
             !crew.hands()[peer_of(i)].is_out;
    };
    const auto take = [&](std::uint64_t steps) {
      std::vector<std::int64_t> times = crew.together(
          [&](Hand& hand) {
            if (!is_chased(hand.number)) return;
            start_chase(hand.stream, grounds[peer_of(hand.number)]->cycle.get<std::uint64_t>(), cycle.size(), steps,
                        grounds[hand.number]->last.get<std::uint64_t>());
          },
          kPatience);
      const std::uint64_t right = place_after(cycle, steps);
      for (std::size_t i = 0; i < crew.size(); ++i) {
        if (!is_chased(i)) times[i] = 0;
        const std::uint64_t found = grounds[i] ? *grounds[i]->last.get<std::uint64_t>() : right;
        if (times[i] == 0 || found == right) continue;
        context.fault(path_id(crew.hands()[peer_of(i)].gpu.address, crew.hands()[i].gpu.address), "data-mismatch",
                      "a pointer chase of " + std::to_string(steps) + " steps over the peer's memory ended at place " +
                          std::to_string(found) + " instead of " + std::to_string(right));
      }
      return times;
    };
    const std::vector<std::int64_t> first = take(kFirstSteps);
    const std::int64_t slowest = *std::ranges::max_element(first);
    // As often as it takes to fill a sample; with a number of steps that leads somewhere else than back to the beginning.
    const std::int64_t times_over = slowest == 0 ? 1 : std::max<std::int64_t>(1, kSampleNs / slowest);
    const std::uint64_t steps = kFirstSteps * static_cast<std::uint64_t>(times_over);
    std::vector<History> histories(crew.size());
    do {
      const std::vector<std::int64_t> times = take(steps);
      for (std::size_t i = 0; i < crew.size(); ++i) {
        if (!is_chased(i)) histories[i].clear();
        if (times[i] > 0) histories[i].push_back({static_cast<std::int64_t>(steps), times[i]});
      }
    } while (!crew.is_gone() && !all_are_steady(histories) && longest_ns(histories) < kAtMostNs);
    for (std::size_t i = 0; i < crew.size(); ++i) {
      // A path is named by the way that the data take.
      result.pairs.emplace_back(peer_of(i), i);
      result.histories.push_back(std::move(histories[i]));
    }
  }
  return result;
}

}  // namespace rackproof
