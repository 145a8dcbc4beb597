// Patterns over nearly all of the memory that a GPU has free, on all GPUs of a crew at once.
#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "checks/api/sampler.h"
#include "checks/gpu/memory_kernels.h"
#include "checks/gpu/memory_phases.h"
#include "checks/gpu/memory_sizes.h"

namespace rackproof {
namespace {

// For one sweep, besides the dwell.
constexpr std::chrono::milliseconds kPatience{60'000};
constexpr double kMuch = 0.1;  // of the memory in use when the check begins, from which on a note says so

// The memory of one GPU that is tested.
struct Tested {
  explicit Tested(const Gpu& gpu) : record(gpu.index, sizeof(MismatchRecord)), seen(sizeof(MismatchRecord)) {}
  std::vector<DeviceMemory> chunks;
  DeviceMemory record;
  PinnedMemory seen;
  std::size_t free = 0;   // before
  std::size_t total = 0;
  std::size_t bytes = 0;  // that was got
  Mismatches mismatches;
  std::vector<double> rates;  // of each sweep, B/s
  Counted counted;

  std::vector<std::size_t> sizes() const {
    std::vector<std::size_t> all;
    for (const DeviceMemory& chunk : chunks) all.push_back(chunk.bytes());
    return all;
  }
};

std::string percent(double share) { return std::to_string(static_cast<int>(100 * share + 0.5)) + " %"; }

// Takes chunks until the goal is met or nothing more is given; what is free need not be in one piece, nor stay free.
void take_memory(Tested& tested, const Gpu& gpu, double share) {
  use_gpu(gpu.index);
  cuda_call(cudaMemGetInfo(&tested.free, &tested.total), "cudaMemGetInfo", gpu.index);
  const auto goal = static_cast<std::size_t>(static_cast<double>(tested.free) * share);
  std::size_t piece = chunk_bytes(goal);
  while (tested.bytes + kSmallestChunk <= goal && piece >= kSmallestChunk) {
    const std::size_t next = std::min(piece, (goal - tested.bytes) / kSmallestChunk * kSmallestChunk);
    try {
      tested.chunks.emplace_back(gpu.index, next);
      tested.bytes += next;
    } catch (const CudaError& error) {
      if (error.code() != cudaErrorMemoryAllocation) throw;
      piece = next / 2 / kSmallestChunk * kSmallestChunk;
    }
  }
}

std::vector<std::optional<Tested>> take_all(Context& context, Crew& crew, double share) {
  std::vector<std::optional<Tested>> all(crew.size());
  for (Hand& hand : crew.hands()) {
    const bool got_some = crew.attempt(hand, [&] {
      std::size_t free = 0;
      std::size_t total = 0;
      use_gpu(hand.gpu.index);
      cuda_call(cudaMemGetInfo(&free, &total), "cudaMemGetInfo", hand.gpu.index);
      if (const double held = 1 - static_cast<double>(free) / static_cast<double>(total); held > kMuch) {
        context.note(hand.gpu.id + ": " + percent(held) + " of its memory are in use before the test, by somebody else");
      }
      all[hand.number].emplace(hand.gpu);
      take_memory(*all[hand.number], hand.gpu, share);
    });
    auto& tested = all[hand.number];
    if (!got_some) tested.reset();
    if (!tested) continue;
    if (tested->bytes < static_cast<std::size_t>(static_cast<double>(tested->free) * share) / 10 * 9) {
      context.note(hand.gpu.id + ": only " + std::to_string(tested->bytes >> 20) + " MiB of " +
                   std::to_string(tested->free >> 20) + " MiB that seemed free were given");
    }
  }
  return all;
}

// Queues one sweep on one GPU.
void queue_sweep(Hand& hand, Tested& tested, const Sweep& sweep) {
  auto* const record = tested.record.get<MismatchRecord>();
  std::uint64_t first = 0;
  std::vector<Stretch> stretches;
  for (const DeviceMemory& chunk : tested.chunks) {
    stretches.push_back({chunk.get<std::uint64_t>(), chunk.bytes() / 8, first});
    first += chunk.bytes() / 8;
  }
  if (sweep.downward) std::ranges::reverse(stretches);
  for (const Stretch& stretch : stretches) {
    switch (sweep.act) {
      case Sweep::write: write_pattern(hand.stream, stretch, sweep.pattern, sweep.downward); break;
      case Sweep::invert: invert_pattern(hand.stream, stretch, sweep.pattern, sweep.downward, record); break;
      case Sweep::verify: verify_pattern(hand.stream, stretch, sweep.pattern, sweep.downward, record); break;
    }
  }
}

// The records are cleared before a sweep and fetched after it, outside of its time.
void do_sweep(Crew& crew, std::vector<std::optional<Tested>>& all, const Sweep& sweep) {
  const auto each = [&](const std::function<void(Hand&, Tested&)>& act) {
    return crew.together(
        [&](Hand& hand) {
          if (auto& tested = all[hand.number]) act(hand, *tested);
        },
        kPatience);
  };
  if (sweep.act != Sweep::write) {
    each([](Hand& hand, Tested& tested) { clear_record(hand.stream, tested.record.get<MismatchRecord>()); });
  }
  const std::vector<std::int64_t> times = each([&](Hand& hand, Tested& tested) { queue_sweep(hand, tested, sweep); });
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i] || all[i]->bytes == 0 || times[i] == 0) continue;
    const auto moved = static_cast<std::int64_t>(all[i]->bytes) * sweep.traffic();
    all[i]->rates.push_back(static_cast<double>(moved) * 1e9 / static_cast<double>(times[i]));
    all[i]->counted.amount += moved;
    all[i]->counted.nanoseconds += times[i];
  }
  if (sweep.act == Sweep::write) return;
  each([](Hand& hand, Tested& tested) {
    cuda_call(cudaMemcpyAsync(tested.seen.get(), tested.record.get(), sizeof(MismatchRecord), cudaMemcpyDeviceToHost,
                              hand.stream.get()),
              "cudaMemcpyAsync", hand.gpu.index);
  });
  for (Hand& hand : crew.hands()) {
    if (auto& tested = all[hand.number]; tested && !hand.is_out) {
      tested->mismatches.add(*tested->seen.get<MismatchRecord>(), sweep);
    }
  }
}

void report(Context& context, const Gpu& gpu, const Tested& tested) {
  const auto bytes = static_cast<double>(tested.bytes);
  context.measure("tested", gpu.id, bytes / 1e9);
  context.measure("tested_share", gpu.id, 100 * bytes / static_cast<double>(tested.total));
  if (tested.free > 0) context.measure("tested_of_free", gpu.id, 100 * bytes / static_cast<double>(tested.free));
  if (tested.bytes == 0) return;  // nothing was looked at: there is no count of errors
  context.measure("pattern_errors", gpu.id, static_cast<double>(tested.mismatches.count));
  if (tested.mismatches.count > 0) {
    context.fault(gpu.id, "memory-errors", to_text(tested.mismatches, tested.sizes()));
  }
  Samples samples = summarise(tested.rates, true);
  Measurement rate{.metric = "pattern_rate",
                   .device = gpu.id,
                   .value = median(tested.rates) / 1e9,
                   .unit = "GB/s",
                   .samples = samples,
                   .counted = tested.counted};
  rate.samples->low /= 1e9;
  rate.samples->high /= 1e9;
  rate.samples->worst /= 1e9;
  context.measure(rate);
}

}  // namespace

void test_memory_patterns(Context& context, Crew& crew, const PatternOrders& orders) {
  std::vector<std::optional<Tested>> all = take_all(context, crew, orders.share);
  const auto spent_s = [&] {
    double most = 0;
    for (const auto& one : all) {
      if (one) most = std::max(most, static_cast<double>(one->counted.nanoseconds) / 1e9);
    }
    return most;
  };
  const auto dwell_ns = static_cast<std::uint64_t>(orders.dwell_s * 1e9);
  const bool has_any = std::ranges::any_of(all, [](const auto& one) { return one && one->bytes > 0; });
  for (std::int64_t pass = 0; has_any && (pass < orders.passes || spent_s() < orders.duration_s); ++pass) {
    if (pass > 0) context.note("pass " + std::to_string(pass + 1) + " over the patterns");
    for (const Sweep& sweep : sweeps_of_pass(static_cast<std::uint64_t>(pass))) {
      if (crew.is_gone()) return;
      if (sweep.after_dwell && dwell_ns > 0) {
        crew.together([&](Hand& hand) { dwell(hand.stream, dwell_ns); },
                      kPatience + std::chrono::milliseconds(dwell_ns / 1'000'000));
      }
      Sweep done = sweep;
      done.after_dwell = sweep.after_dwell && dwell_ns > 0;
      do_sweep(crew, all, done);
    }
  }
  for (const Hand& hand : crew.hands()) {
    if (all[hand.number] && !hand.is_out) report(context, hand.gpu, *all[hand.number]);
  }
}

}  // namespace rackproof
