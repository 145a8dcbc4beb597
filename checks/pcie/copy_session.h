// All GPUs with their buffers, and figures taken from bursts of copies on some of them at a time. What goes wrong on one
// GPU is reported and ends that GPU's part only.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/pci.h"
#include "checks/pcie/burst.h"
#include "checks/pcie/link_facts.h"

namespace rackproof {

struct GpuPart {
  Gpu gpu;
  std::optional<PciDevice> pci;
  std::unique_ptr<DeviceSide> device;
  std::unique_ptr<HostSide> near;
  std::unique_ptr<CopyLane> h2d;
  std::unique_ptr<CopyLane> d2h;
  bool is_lost = false;
  LinkWatch under_load;
  std::array<std::int64_t, 2> copies{};  // verified, by direction
  std::array<std::int64_t, 2> wrong{};
  std::int64_t pages_asked = 0;
  std::int64_t pages_misplaced = 0;
};

struct LaneFigures {
  std::vector<std::optional<Estimate>> lanes;  // in their order; nothing for a GPU that was lost
  std::optional<Estimate> sum;                 // of two lanes
};

class CopySession {
 public:
  CopySession(Context&, const std::vector<Gpu>&, const std::vector<PciDevice>&, const CopyPattern&, const DurationBounds&);

  std::vector<GpuPart>& parts() { return parts_; }
  // Gives a GPU its buffers, those of the host on `node` (-1: anywhere).
  void prepare(GpuPart&, int node);
  // The same lanes again and again until each has its figure; all of them begin each burst together.
  LaneFigures measure(std::vector<CopyLane*>);
  // Both directions of one GPU on another node, whose host side all GPUs share one after the other.
  std::array<std::optional<Estimate>, 2> measure_on_node(GpuPart&, int node);

  // Says so once, and leaves the GPU alone from then on.
  void lose(GpuPart&, const std::string& why, bool is_hung);
  // Does it unless the GPU is lost; what CUDA throws there means that it is lost now.
  template <class Body>
  void guarded(GpuPart& part, Body body) {
    if (part.is_lost) return;
    try {
      body();
    } catch (const CudaError& error) {
      lose(part, error.what(), false);
    }
  }
  // How many pages of this memory lie elsewhere is added to the GPU's part.
  void count_pages(GpuPart&, const HostMemory&);
  // Gives the memory on other nodes back.
  void forget_far() { far_.clear(); }

 private:
  GpuPart& part_of(const CopyLane&);
  void note_mismatches(GpuPart&, const LaneBurst&);

  Context& context_;
  CopyPattern pattern_;
  Hashes expected_;
  DurationBounds bounds_;
  std::vector<GpuPart> parts_;
  std::map<int, std::unique_ptr<HostSide>> far_;  // by node
  bool has_said_why_placement_is_unknown_ = false;
};

}  // namespace rackproof
