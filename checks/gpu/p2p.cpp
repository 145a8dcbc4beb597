// gpu.p2p: how fast and how well each GPU of a node reaches each other one.
#include <algorithm>
#include <cstdio>
#include <limits>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/gpu/cuda_devices.h"
#include "checks/gpu/cuda_error.h"
#include "checks/gpu/p2p_access.h"
#include "checks/gpu/p2p_flows.h"
#include "checks/gpu/p2p_latency.h"
#include "checks/gpu/p2p_plan.h"
#include "checks/gpu/random_cycle.h"

namespace rackproof {
namespace {

std::string path_of(Crew& crew, Pair pair) {
  return path_id(crew.hands()[pair.first].gpu.address, crew.hands()[pair.second].gpu.address);
}

// Copies are of one size, so that pairs can be compared: a GPU whose memory somebody else holds would make them so small
// that all figures were wrong, and takes no part. Gives who does, and what the least of them has free.
std::vector<bool> with_room(Context& context, Crew& crew, std::size_t& least) {
  std::vector<double> free(crew.size(), 0);
  for (Hand& hand : crew.hands()) {
    crew.attempt(hand, [&] {
      std::size_t bytes = 0;
      std::size_t total = 0;
      use_gpu(hand.gpu.index);
      cuda_call(cudaMemGetInfo(&bytes, &total), "cudaMemGetInfo", hand.gpu.index);
      free[hand.number] = static_cast<double>(bytes);
    });
  }
  const double usual = median(free);
  std::vector<bool> takes_part(crew.size(), false);
  least = std::numeric_limits<std::size_t>::max();
  for (const Hand& hand : crew.hands()) {
    if (hand.is_out) continue;
    const auto bytes = static_cast<std::size_t>(free[hand.number]);
    if (free[hand.number] < usual / 2) {
      context.note(hand.gpu.id + " is not measured: only " + std::to_string(bytes >> 20) + " MiB of its memory are free");
      continue;
    }
    takes_part[hand.number] = true;
    least = std::min(least, bytes);
  }
  return takes_part;
}

// Four places of it, in a quarter of what is free.
std::size_t copy_bytes(std::size_t free, double at_most) {
  const std::size_t bytes = std::min(free / 16, static_cast<std::size_t>(at_most)) / 4096 * 4096;
  constexpr std::size_t kLeast = 1 << 16;
  if (bytes < kLeast) throw Trouble{"no room for copies of 64 KiB: the GPUs' memory is in use, or 'size' is too small"};
  return bytes;
}

Matrix square(std::size_t n) { return Matrix(n, std::vector<double>(n, 0)); }

void report_paths(Context& context, Crew& crew, const std::vector<Pair>& pairs, const std::vector<History>& histories,
                  const char* metric, Matrix* medians) {
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (histories[i].empty()) continue;
    const Estimate estimate = final_estimate(histories[i]);
    context.measure(to_measurement(estimate, metric, path_of(crew, pairs[i]), "GB/s"));
    if (medians != nullptr) (*medians)[pairs[i].first][pairs[i].second] = estimate.median / 1e9;
  }
}

void measure_pairs(Context& context, Crew& crew, Flows& flows, Matrix& bandwidth) {
  const std::size_t n = crew.size();
  for (const Pair& pair : all_pairs(n)) {
    if (!flows.can_use(pair)) continue;
    report_paths(context, crew, {pair}, flows.run({pair}, "alone"), "bandwidth", &bandwidth);
  }
  for (const Pair& pair : all_pairs(n)) {
    if (pair.first > pair.second || !flows.can_use(pair)) continue;
    const std::vector<Pair> both{pair, {pair.second, pair.first}};
    report_paths(context, crew, both, flows.run(both, "both directions"), "both", nullptr);
  }
}

// What each GPU moves when all send to all: its bytes in the time of its slowest copy.
void report_all_to_all(Context& context, Crew& crew, const std::vector<Pair>& pairs, const std::vector<History>& histories) {
  for (const auto& [metric, of] : {std::pair{"alltoall_out", &Pair::first}, std::pair{"alltoall_in", &Pair::second}}) {
    for (const Hand& hand : crew.hands()) {
      History sums;
      for (std::size_t i = 0; i < pairs.size(); ++i) {
        if (pairs[i].*of != hand.number) continue;
        if (sums.size() < histories[i].size()) sums.resize(histories[i].size());
        for (std::size_t k = 0; k < histories[i].size(); ++k) {
          sums[k].amount += histories[i][k].amount;
          sums[k].nanoseconds = std::max(sums[k].nanoseconds, histories[i][k].nanoseconds);
        }
      }
      if (hand.is_out || sums.empty()) continue;
      context.measure(to_measurement(final_estimate(sums), metric, hand.gpu.id, "GB/s"));
    }
  }
}

void measure_together(Context& context, Crew& crew, Flows& flows) {
  const std::size_t n = crew.size();
  for (std::size_t distance = 1; distance < n; ++distance) {
    const std::vector<Pair> pairs = shifted(n, distance);
    report_paths(context, crew, pairs, flows.run(pairs, "ring of distance " + std::to_string(distance)), "shift", nullptr);
  }
  const std::vector<Pair> pairs = all_pairs(n);
  report_all_to_all(context, crew, pairs, flows.run(pairs, "all to all", n - 1));
}

std::string describe(Crew& crew, const WrongCopy& wrong) {
  const MismatchRecord& record = wrong.record;
  const auto number = [](std::uint64_t one) { return static_cast<unsigned long long>(one); };
  char text[160];
  std::snprintf(text, sizeof text,
                "%llu wrong word%s, bits 0x%016llx; the first at offset 0x%llx, 0x%016llx instead of 0x%016llx",
                number(record.count), record.count == 1 ? "" : "s", number(record.bits), number(8 * record.named[0].place),
                number(record.named[0].found), number(record.named[0].expected));
  return "copy " + std::to_string(wrong.number) + " from " + crew.hands()[wrong.pair.first].gpu.id + " to " +
         crew.hands()[wrong.pair.second].gpu.id + " (" + wrong.phase + "): " + text;
}

void report_wrong_copies(Context& context, Crew& crew, const Flows& flows) {
  std::vector<Pair> bad;
  for (const Pair& pair : all_pairs(crew.size())) {
    if (flows.copies_on(pair) == 0) continue;
    context.measure("wrong_copies", path_of(crew, pair), static_cast<double>(flows.wrong_on(pair)));
    if (flows.wrong_on(pair) > 0) bad.push_back(pair);
  }
  const auto about = [&](const std::string& device, const auto& is_meant) {
    std::uint64_t wrong = 0;
    std::uint64_t all = 0;
    std::size_t paths = 0;
    for (const Pair& pair : bad) {
      if (!is_meant(pair)) continue;
      wrong += flows.wrong_on(pair);
      all += flows.copies_on(pair);
      ++paths;
    }
    const auto first = std::ranges::find_if(flows.wrong(), [&](const WrongCopy& one) { return is_meant(one.pair); });
    context.fault(device, "data-mismatch",
                  std::to_string(wrong) + " of " + std::to_string(all) + " copies over " + std::to_string(paths) +
                      (paths == 1 ? " path" : " paths") + " arrived wrong: " + describe(crew, *first));
  };
  const PeerBlame to_blame = blame(bad, crew.size());
  for (const std::size_t gpu : to_blame.gpus) {
    about(crew.hands()[gpu].gpu.id, [&](const Pair& pair) { return pair.first == gpu || pair.second == gpu; });
  }
  for (const Pair& one : to_blame.pairs) about(path_of(crew, one), [&](const Pair& pair) { return pair == one; });
}

void report_shares(Context& context, Crew& crew, const Matrix& bandwidth) {
  const std::vector<double> by_gpu = median_by_gpu(bandwidth);
  const std::vector<double> shares = shares_of_median(by_gpu);
  for (const Hand& hand : crew.hands()) {
    if (hand.is_out || by_gpu[hand.number] <= 0) continue;
    context.measure("peer", hand.gpu.id, by_gpu[hand.number]);
    context.measure("peer_share", hand.gpu.id, shares[hand.number]);
  }
  for (const Pair& pair : all_pairs(crew.size())) {
    if (bandwidth[pair.first][pair.second] <= 0) continue;
    context.measure("pair_share", path_of(crew, pair), pair_share(bandwidth, by_gpu, pair));
  }
}

void report_links(Context& context, Crew& crew, const Access& access, const Matrix& bandwidth, const Matrix& latency) {
  for (const Pair& pair : all_pairs(crew.size())) {
    const auto& [from, to] = pair;
    if (from > to) continue;
    Facts facts;
    const auto add = [&](const char* name, double value) {
      if (value > 0) facts.emplace_back(name, value);
    };
    add("bandwidth_gbs", bandwidth[from][to]);
    add("reverse_bandwidth_gbs", bandwidth[to][from]);
    add("latency_ns", latency[from][to]);
    add("reverse_latency_ns", latency[to][from]);
    if (facts.empty()) continue;
    const std::int64_t nvlinks = access.nvlinks_between(pair);
    if (nvlinks > 0) facts.emplace_back("nvlinks", nvlinks);
    const bool is_direct = access.reaches[from][to] && access.reaches[to][from];
    facts.emplace_back("peer_access", is_direct ? "direct" : "through host memory");
    context.link({.from = crew.hands()[from].gpu.id,
                  .to = crew.hands()[to].gpu.id,
                  .kind = nvlinks > 0 ? "nvlink" : "pcie",
                  .facts = std::move(facts)});
  }
}

}  // namespace
}  // namespace rackproof

using namespace rackproof;

void rackproof_run(Context& context) {
  const std::string tests = context.param<std::string>("tests");
  const double size = context.param<double>("size");
  const std::vector<Gpu> gpus = visible_gpus(context, context.param<std::string>("gpus"));
  if (gpus.size() < 2) throw Skip{"there is one GPU only, and so no peer"};
  describe_gpus(context, gpus);
  Crew crew(context, gpus);
  const std::size_t n = crew.size();
  std::size_t least_free = 0;
  const std::vector<bool> takes_part = with_room(context, crew, least_free);
  if (std::ranges::count(takes_part, true) < 2) throw Trouble{"fewer than two GPUs can be used"};
  const auto is_measured = [&](const Pair& pair) { return takes_part[pair.first] && takes_part[pair.second]; };
  for (const Pair& pair : all_pairs(n)) {
    if (!is_measured(pair)) continue;
    const Gpu& from = crew.hands()[pair.first].gpu;
    const Gpu& to = crew.hands()[pair.second].gpu;
    context.device({.id = path_of(crew, pair),
                    .kind = "path",
                    .name = from.address + " to " + to.address,
                    .parent = from.id,
                    .facts = {{"to", to.id}}});
  }
  const Access access = open_access(context, crew);
  Matrix bandwidth = square(n);
  Matrix latency = square(n);
  if (tests != "latency") {
    Flows flows(context, crew, takes_part, copy_bytes(least_free, size));
    if (tests != "together") measure_pairs(context, crew, flows, bandwidth);
    if (tests != "pairs") measure_together(context, crew, flows);
    report_wrong_copies(context, crew, flows);
    report_shares(context, crew, bandwidth);
  }
  if (tests == "all" || tests == "latency") {
    auto chased = access.reaches;
    for (const Pair& pair : all_pairs(n)) {
      if (!is_measured(pair)) chased[pair.first][pair.second] = false;
    }
    const Latencies measured = measure_latencies(context, crew, chased);
    for (std::size_t i = 0; i < measured.pairs.size(); ++i) {
      if (measured.histories[i].empty()) continue;
      const Pair& pair = measured.pairs[i];
      const Measurement time = to_step_time(final_estimate(measured.histories[i]), "latency", path_of(crew, pair));
      latency[pair.first][pair.second] = time.value;
      context.measure(time);
    }
  }
  report_links(context, crew, access, bandwidth, latency);
}
