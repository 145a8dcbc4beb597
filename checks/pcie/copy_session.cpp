#include "checks/pcie/copy_session.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "checks/api/keep.h"
#include "checks/pcie/uplinks.h"

namespace rackproof {
namespace {

constexpr std::int64_t kMostFaults = 3;  // sentences for one direction of one GPU; the rest is counted

std::string hex(std::uint64_t number) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%016" PRIx64, number);
  return text;
}

std::size_t index_of(Direction direction) { return direction == Direction::h2d ? 0 : 1; }

std::string sentence(const CopyLane& lane, const CopyMismatch& one, std::size_t words) {
  std::string text = "GPU " + std::to_string(lane.gpu().index) + ", " + std::string(to_text(lane.direction())) +
                     ", copy " + std::to_string(one.copy) + ": ";
  if (one.words.count == 0) return text + "its hash was wrong, and a second look found every word right";
  text += std::to_string(one.words.count) + " of " + std::to_string(words) + " words wrong, the first at byte " +
          std::to_string(one.words.first * sizeof(std::uint64_t)) + ": " + hex(one.words.found) + " instead of " +
          hex(one.words.expected) + "; wrong bits " + hex(one.words.bits);
  if (one.is_source_wrong) text += "; what was copied is wrong in the GPU's own memory";
  return text;
}

}  // namespace

CopySession::CopySession(Context& context, const std::vector<Gpu>& gpus, const std::vector<PciDevice>& all,
                         const CopyPattern& pattern, const DurationBounds& bounds)
    : context_(context), pattern_(pattern), expected_(expected_hashes(pattern)), bounds_(bounds) {
  for (const Gpu& gpu : gpus) {
    GpuPart& part = parts_.emplace_back();
    part.gpu = gpu;
    if (const PciDevice* pci = find_pci(all, gpu.address)) part.pci = *pci;
  }
}

void CopySession::prepare(GpuPart& part, int node) {
  guarded(part, [&] {
    part.device = std::make_unique<DeviceSide>(part.gpu, pattern_);
    part.near = std::make_unique<HostSide>(part.gpu, pattern_, node);
    part.h2d = std::make_unique<CopyLane>(*part.device, *part.near, pattern_, expected_, Direction::h2d);
    part.d2h = std::make_unique<CopyLane>(*part.device, *part.near, pattern_, expected_, Direction::d2h);
    count_pages(part, part.near->sources);
    count_pages(part, part.near->ring);
  });
}

void CopySession::count_pages(GpuPart& part, const HostMemory& memory) {
  if (memory.node() < 0) return;
  const PagePlacement placed = memory.placement();
  part.pages_asked += placed.asked;
  part.pages_misplaced += placed.misplaced;
  if (placed.refusal.empty() || has_said_why_placement_is_unknown_) return;
  has_said_why_placement_is_unknown_ = true;
  context_.note("on which NUMA node the host's memory lies is not known: " + placed.refusal);
}

GpuPart& CopySession::part_of(const CopyLane& lane) {
  return *std::ranges::find_if(parts_, [&](const GpuPart& part) { return part.gpu.index == lane.gpu().index; });
}

void CopySession::lose(GpuPart& part, const std::string& why, bool is_hung) {
  if (part.is_lost) return;
  part.is_lost = true;
  if (is_hung) abandon_gpu(part.gpu.index);
  context_.fault(part.gpu.id, is_hung ? "gpu-hung" : "gpu-lost",
                 "GPU " + std::to_string(part.gpu.index) + " was not measured further: " + why);
  // Never given back: to free what is on a GPU that does not answer may wait for ever, and it may still write.
  keep_for_good(part.h2d);
  keep_for_good(part.d2h);
  keep_for_good(part.near);
  keep_for_good(part.device);
}

void CopySession::note_mismatches(GpuPart& part, const LaneBurst& burst) {
  const std::size_t way = index_of(burst.lane->direction());
  part.copies[way] += kRing;
  for (const CopyMismatch& one : burst.mismatches) {
    if (part.wrong[way]++ >= kMostFaults) continue;
    context_.fault(part.gpu.id, "data-mismatch", sentence(*burst.lane, one, pattern_.words()));
  }
}

LaneFigures CopySession::measure(std::vector<CopyLane*> lanes) {
  const std::size_t count = lanes.size();
  LaneFigures figures{std::vector<std::optional<Estimate>>(count), {}};
  std::vector<CopyHistory> histories(count);
  CopyHistory sums;
  const auto living = [&] { return count - static_cast<std::size_t>(std::ranges::count(lanes, nullptr)); };
  if (living() == 0) return figures;
  use_gpu((*std::ranges::find_if(lanes, [](const CopyLane* lane) { return lane != nullptr; }))->gpu().index);
  Gate gate;
  for (bool is_first = true; living() > 0; is_first = false) {
    std::vector<std::size_t> places;
    std::vector<CopyLane*> now;
    for (std::size_t i = 0; i < count; ++i) {
      if (lanes[i] == nullptr) continue;
      places.push_back(i);
      now.push_back(lanes[i]);
    }
    const auto look_at_links = [&] {
      if (is_first) return;  // an idle link may just be on its way up
      for (const CopyLane* lane : now) {
        part_of(*lane).under_load.look(pci_link(context_.sysroot(), lane->gpu().address, "current"));
      }
    };
    const std::vector<LaneBurst> bursts = run_burst(now, gate, look_at_links);
    std::vector<std::vector<TimedCopy>> times;
    for (std::size_t i = 0; i < bursts.size(); ++i) {
      if (!bursts[i].failure.empty()) {
        GpuPart& part = part_of(*now[i]);
        lose(part, bursts[i].failure, bursts[i].is_late);
        for (CopyLane*& lane : lanes) {
          if (lane != nullptr && &part_of(*lane) == &part) lane = nullptr;
        }
      } else {
        note_mismatches(part_of(*now[i]), bursts[i]);
        times.push_back(bursts[i].times);
      }
    }
    const std::int64_t end = common_end(times);
    bool is_done = true;
    std::vector<std::vector<Sample>> kept(bursts.size());
    for (std::size_t i = 0; i < bursts.size(); ++i) {
      if (lanes[places[i]] == nullptr) continue;
      kept[i] = samples_until(bursts[i].times, end, pattern_.bytes);
      histories[places[i]].add(kept[i]);
      figures.lanes[places[i]] = histories[places[i]].estimate(bounds_);
      is_done = is_done && figures.lanes[places[i]];
    }
    if (count == 2 && living() == 2) {
      std::vector<Sample> both;
      for (std::size_t i = 0; i < std::min(kept[0].size(), kept[1].size()); ++i) both.push_back(added(kept[0][i], kept[1][i]));
      sums.add(both);
      figures.sum = sums.estimate(bounds_);
      is_done = is_done && figures.sum;
    }
    if (is_done) break;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (lanes[i] == nullptr) figures.lanes[i].reset();
  }
  if (living() < count) figures.sum.reset();
  return figures;
}

std::array<std::optional<Estimate>, 2> CopySession::measure_on_node(GpuPart& part, int node) {
  std::array<std::optional<Estimate>, 2> found;
  guarded(part, [&] {
    std::unique_ptr<HostSide>& host = far_[node];
    if (!host) host = std::make_unique<HostSide>(part.gpu, pattern_, node);
    count_pages(part, host->sources);
    count_pages(part, host->ring);
    auto h2d = std::make_unique<CopyLane>(*part.device, *host, pattern_, expected_, Direction::h2d);
    auto d2h = std::make_unique<CopyLane>(*part.device, *host, pattern_, expected_, Direction::d2h);
    found[0] = measure({h2d.get()}).lanes.front();
    if (!part.is_lost) found[1] = measure({d2h.get()}).lanes.front();
    if (!part.is_lost) return;
    keep_for_good(h2d);
    keep_for_good(d2h);
    keep_for_good(host);
  });
  return found;
}

}  // namespace rackproof
