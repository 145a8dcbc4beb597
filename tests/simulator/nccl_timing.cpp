// How long a simulated collective takes: within a node its NVLinks bound it, between nodes their adapters do.
#include <algorithm>
#include <cmath>

#include "tests/simulator/nccl_collectives.h"

namespace rackproof::simulator {
namespace {

// Added by each doubling of the nodes, as a step over a switch and two adapters takes: plausible, measured nowhere.
constexpr double kStepNs = 8e3;
// Of a node without adapters of its own.
constexpr double kPlainNetworkGbs = 12.5;

// Data are spread evenly over the adapters, so the slowest of them bounds all.
double network_gbs(const Machine& machine) {
  const auto& nics = machine.profile().nics;
  if (nics.empty()) return kPlainNetworkGbs;
  double slowest = nics.front().gbs;
  for (std::size_t i = 0; i < nics.size(); ++i) {
    const Fault* const slow = machine.fault(FaultKind::nic_slow, static_cast<int>(i));
    slowest = std::min(slowest, nics[i].gbs * (slow != nullptr ? 1 - slow->amount / 100 : 1));
  }
  return slowest * static_cast<double>(nics.size());
}

double share_of_links(const Machine& machine, const std::vector<int>& gpus) {
  const Profile& profile = machine.profile();
  double share = 1;
  for (const int gpu : gpus) {
    if (gpu < 0) continue;
    if (profile.kind.nvlinks > 0) {
      share = std::min(share, machine.nvlink_share(gpu));
      continue;
    }
    if (const Fault* f = machine.fault(FaultKind::link_width, gpu))
      share = std::min(share, f->amount / profile.slot.width);
    if (const Fault* f = machine.fault(FaultKind::link_speed, gpu))
      share = std::min(share, f->amount / profile.slot.speed_gts);
  }
  return std::max(share, 1e-3);
}

}  // namespace

double nanoseconds_of(const Machine& machine, CollectiveKind kind, const RankPart& part, const std::vector<int>& gpus,
                      std::size_t nodes) {
  const Profile& profile = machine.profile();
  const auto n = static_cast<double>(gpus.size());
  const auto ours = static_cast<double>(std::ranges::count_if(gpus, [](int gpu) { return gpu >= 0; }));
  const double within =
      (kind == CollectiveKind::all_reduce ? profile.nccl.allreduce_gbs : profile.nccl.alltoall_gbs) *
      share_of_links(machine, gpus);
  double bytes = 0;         // on the busiest link within the node
  double leaving = 0;       // bytes that leave this node
  switch (kind) {
    case CollectiveKind::all_reduce:
      bytes = static_cast<double>(part.sent_bytes) * 2 * (n - 1) / n;
      break;
    case CollectiveKind::all_gather:
      bytes = static_cast<double>(part.received_bytes) * (n - 1) / n;
      break;
    case CollectiveKind::reduce_scatter:
      bytes = static_cast<double>(part.sent_bytes) * (n - 1) / n;
      break;
    case CollectiveKind::broadcast:
      bytes = static_cast<double>(part.received_bytes);
      break;
    case CollectiveKind::exchange:
      for (const Message& one : part.sends) {
        const int gpu = gpus[static_cast<std::size_t>(one.peer)];
        if (gpu != part.gpu) bytes += static_cast<double>(one.bytes);
        if (gpu < 0) leaving += static_cast<double>(one.bytes) * ours;
      }
  }
  // A ring passes every node with all that it carries.
  if (kind != CollectiveKind::exchange && nodes > 1) leaving = bytes;
  const double flowing = std::max(bytes / within, leaving / network_gbs(machine));
  // What starts a collective overlaps with its transfer, so the two do not simply add up.
  const double latency = profile.nccl.latency_us * 1e3 + kStepNs * std::ceil(std::log2(static_cast<double>(nodes)));
  return std::hypot(latency, flowing);
}

}  // namespace rackproof::simulator
