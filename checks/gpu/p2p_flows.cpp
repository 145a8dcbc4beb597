#include "checks/gpu/p2p_flows.h"

#include <algorithm>
#include <chrono>

#include "checks/gpu/cuda_error.h"
#include "checks/gpu/cuda_wait.h"
#include "checks/gpu/memory_kernels.h"
#include "checks/gpu/words.h"

namespace rackproof {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kSampleNs = 50'000'000;
constexpr std::int64_t kAtMostNs = 10'000'000'000;  // of a phase, until it counts as unsteady
constexpr auto kPatience = 30s;
constexpr auto kSignOfLife = 5s;
// Samples after which the two sources change places, so that what was left out would not be what already stood there.
constexpr std::size_t kSamplesOfTurn = 4;
constexpr std::size_t kMostNamed = 4;  // wrong copies of one pair

std::uint64_t seed_of(std::size_t gpu, std::size_t source) { return 0x9e3779b97f4a7c15ULL * (1 + kPlaces * gpu + source); }

std::size_t source_of(std::size_t copy, std::size_t turn) { return (copy + turn) % kPlaces; }

void await(const Stream& stream, const CudaEvent& event) {
  use_gpu(stream.gpu());
  cuda_call(cudaStreamWaitEvent(stream.get(), event.get(), 0), "cudaStreamWaitEvent", stream.gpu());
}

}  // namespace

Site::Site(const Gpu& gpu, std::size_t bytes) {
  for (std::size_t i = 0; i < kPlaces; ++i) {
    sources.emplace_back(gpu.index, bytes);
    targets.emplace_back(gpu.index, bytes);
  }
}

PeerFlow::PeerFlow(Pair pair_, const Gpu& from, const Gpu& to)
    : pair(pair_),
      copying(from.index),
      checking(to.index),
      begin(from.index),
      end(from.index),
      checked_all(to.index),
      records(to.index, kMostCopies * sizeof(MismatchRecord)),
      seen(kMostCopies * sizeof(MismatchRecord)) {
  for (std::size_t i = 0; i < kPlaces; ++i) {
    copied.emplace_back(from.index);
    checked.emplace_back(to.index);
  }
}

Flows::Flows(Context& context, Crew& crew, const std::vector<bool>& takes_part, std::size_t bytes)
    : context_(context), crew_(crew), bytes_(bytes), sites_(crew.size()), flows_(crew.size()), counts_(crew.size()) {
  for (Hand& hand : crew_.hands()) {
    counts_[hand.number].resize(crew.size());
    flows_[hand.number].resize(crew.size());
    if (!takes_part[hand.number]) continue;
    crew_.attempt(hand, [&] { sites_[hand.number] = std::make_unique<Site>(hand.gpu, bytes); });
  }
  crew_.together(
      [&](Hand& hand) {
        if (!sites_[hand.number]) return;
        for (std::size_t i = 0; i < kPlaces; ++i) {
          fill_words(hand.stream, sites_[hand.number]->sources[i].get<std::uint64_t>(), bytes / 8, seed_of(hand.number, i));
        }
      },
      kPatience);
  for (const Pair& pair : all_pairs(crew.size())) {
    Hand& from = crew_.hands()[pair.first];
    Hand& to = crew_.hands()[pair.second];
    if (from.is_out || to.is_out || !sites_[pair.first] || !sites_[pair.second]) continue;
    try {
      flows_[pair.first][pair.second] = std::make_unique<PeerFlow>(pair, from.gpu, to.gpu);
    } catch (const CudaError& error) {
      find_the_dead(pair, error.what());
    }
  }
}

bool Flows::can_use(Pair pair) const {
  return flows_[pair.first][pair.second] != nullptr && !crew_.hands()[pair.first].is_out &&
         !crew_.hands()[pair.second].is_out;
}

// Each copy goes to the place before the last one, once that has been looked at; the sender's stream waits for the
// receiver's, which has long been done, as memory is faster than any link.
void Flows::queue(PeerFlow& flow, std::size_t copies, std::size_t turn, std::size_t bytes, std::size_t offset) {
  const int from = flow.copying.gpu();
  const int to = flow.checking.gpu();
  Site& sender = *sites_[flow.pair.first];
  Site& receiver = *sites_[flow.pair.second];
  auto* const records = flow.records.get<MismatchRecord>();
  for (std::size_t i = 0; i < copies; ++i) clear_record(flow.checking, records + i);
  gate_.hold(flow.copying);
  flow.begin.record(flow.copying);
  for (std::size_t i = 0; i < copies; ++i) {
    const std::size_t place = i % kPlaces;
    const std::size_t source = source_of(i, turn);
    char* const target = receiver.targets[place].get<char>() + offset;
    if (i >= kPlaces) await(flow.copying, flow.checked[place]);
    use_gpu(from);
    cuda_call(cudaMemcpyPeerAsync(target, to, sender.sources[source].get(), from, bytes, flow.copying.get()),
              "cudaMemcpyPeerAsync", from);
    flow.copied[place].record(flow.copying);
    await(flow.checking, flow.copied[place]);
    verify_pattern(flow.checking, {reinterpret_cast<std::uint64_t*>(target), bytes / 8, 0},
                   {Pattern::random, seed_of(flow.pair.first, source), false}, false, records + i);
    flow.checked[place].record(flow.checking);
  }
  flow.end.record(flow.copying);
  use_gpu(to);
  cuda_call(cudaMemcpyAsync(flow.seen.get(), records, copies * sizeof(MismatchRecord), cudaMemcpyDeviceToHost,
                            flow.checking.get()),
            "cudaMemcpyAsync", to);
  flow.checked_all.record(flow.checking);
}

std::vector<std::int64_t> Flows::take(const std::vector<Pair>& pairs, const std::vector<std::size_t>& copies,
                                      std::size_t turn, std::size_t share) {
  const std::size_t bytes = bytes_ / share / 16 * 16;
  std::vector<std::int64_t> times(pairs.size(), 0);
  std::vector<std::size_t> queued;
  std::vector<const CudaEvent*> ends;
  std::vector<std::size_t> arriving(crew_.size(), 0);
  gate_.close();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!can_use(pairs[i])) continue;
    // Several that arrive at one GPU have a part of its places each.
    const std::size_t offset = share == 1 ? 0 : bytes * arriving[pairs[i].second]++;
    try {
      queue(flow(pairs[i]), copies[i], turn, bytes, offset);
      queued.push_back(i);
      ends.push_back(&flow(pairs[i]).end);
      ends.push_back(&flow(pairs[i]).checked_all);
    } catch (const CudaError& error) {
      find_the_dead(pairs[i], error.what());
    }
  }
  gate_.open();
  const std::vector<WaitResult> results = wait_for_all(ends, kPatience);
  for (std::size_t n = 0; n < queued.size(); ++n) {
    const Pair pair = pairs[queued[n]];
    try {
      for (const std::size_t end : {2 * n, 2 * n + 1}) {
        if (results[end].how == Waited::done) continue;
        const bool is_late = results[end].how == Waited::late;
        // What it waits for cannot be given back, whichever of the two it is.
        for (const std::size_t i : {pair.first, pair.second}) {
          if (is_late) abandon_gpu(crew_.hands()[i].gpu.index);
        }
        find_the_dead(pair, is_late ? "its copies did not end" : results[end].why);
      }
      if (can_use(pair)) times[queued[n]] = nanoseconds_between(flow(pair).begin, flow(pair).end);
    } catch (const CudaError& error) {
      find_the_dead(pair, error.what());
    }
  }
  return times;
}

void Flows::collect(const std::vector<Pair>& pairs, const std::vector<std::int64_t>& times,
                    const std::vector<std::size_t>& copies, const std::string& phase) {
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (times[i] == 0) continue;
    Counts& counts = counts_[pairs[i].first][pairs[i].second];
    for (std::size_t n = 0; n < copies[i]; ++n) {
      ++counts.copies;
      const MismatchRecord& record = flow(pairs[i]).seen.get<MismatchRecord>()[n];
      if (record.count == 0) continue;
      if (++counts.wrong <= kMostNamed) wrong_.push_back({pairs[i], phase, counts.copies, record});
    }
  }
}

// A copy that fails says little about which of its two ends is at fault, so both are asked for a sign of life.
void Flows::find_the_dead(Pair pair, const std::string& why) {
  bool is_found = false;
  for (const std::size_t i : {pair.first, pair.second}) {
    Hand& hand = crew_.hands()[i];
    if (hand.is_out) {
      is_found = true;
      continue;
    }
    // Something to compute: an event alone happens on a GPU that does nothing else any more.
    const bool lives = crew_.attempt(hand, [&] {
      dwell(hand.stream, 0);
      hand.end.record(hand.stream);
    });
    std::string reason;
    if (!lives) {
      is_found = true;
    } else if (const Waited how = wait_for(hand.end, kSignOfLife, reason); how != Waited::done) {
      is_found = true;
      const bool is_hung = how == Waited::late;
      crew_.leave_out(hand, is_hung ? "gpu-hung" : "gpu-lost",
                      (is_hung ? "hangs while it is measured: " : "lost while it was measured: ") + why);
    }
  }
  if (!is_found) {
    const Hand& from = crew_.hands()[pair.first];
    const Hand& to = crew_.hands()[pair.second];
    context_.fault(path_id(from.gpu.address, to.gpu.address), "copy-failed",
                   "its copies fail, though both GPUs answer: " + why);
    flows_[pair.first][pair.second].reset();
  }
}

std::vector<History> Flows::run(const std::vector<Pair>& pairs, const std::string& phase, std::size_t share) {
  std::vector<History> histories(pairs.size());
  std::vector<std::size_t> copies(pairs.size(), 2);
  const std::size_t bytes = bytes_ / share / 16 * 16;
  const std::vector<std::int64_t> first = take(pairs, copies, 0, share);
  collect(pairs, first, copies, phase);
  std::int64_t slowest = 1;
  for (const std::int64_t time : first) slowest = std::max(slowest, time / 2);
  std::ranges::fill(copies, std::clamp<std::size_t>(static_cast<std::size_t>(kSampleNs / slowest), 2, kMostCopies));
  std::size_t sample = kSamplesOfTurn;  // with the other source
  do {
    const std::vector<std::int64_t> times = take(pairs, copies, sample / kSamplesOfTurn, share);
    ++sample;
    collect(pairs, times, copies, phase);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (!can_use(pairs[i])) histories[i].clear();
      if (times[i] > 0 && can_use(pairs[i])) {
        histories[i].push_back({static_cast<std::int64_t>(bytes * copies[i]), times[i]});
      }
    }
  } while (std::ranges::any_of(pairs, [&](const Pair& pair) { return can_use(pair); }) && !all_are_steady(histories) &&
           longest_ns(histories) < kAtMostNs);
  return histories;
}

}  // namespace rackproof
