#include "checks/infiniband/nearest_gpu.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace rackproof {
namespace {

constexpr std::array<const char*, 4> kShared{"switch", "root complex", "numa node", "machine"};

// From the device above it up to the root bus.
std::vector<std::string> bridges_above(const std::vector<PciDevice>& all, const PciDevice& device) {
  std::vector<std::string> bridges;
  std::string above = device.parent;
  // No tree has more levels than bus numbers.
  while (!above.empty() && bridges.size() < 256) {
    bridges.push_back(above);
    const auto bridge = std::ranges::find(all, above, &PciDevice::address);
    above = bridge == all.end() ? "" : bridge->parent;
  }
  return bridges;
}

std::optional<std::int64_t> numa_node(const SysRoot& root, const PciDevice& device) {
  const auto node = root.integer(pci_attribute(device.address, "numa_node"));
  return node && *node >= 0 ? node : std::nullopt;
}

// What they share, as a place in kShared, and over how many bridges.
using Distance = std::pair<std::size_t, std::ptrdiff_t>;

Distance distance(const SysRoot& root, const std::vector<PciDevice>& all, const PciDevice& a, const PciDevice& b) {
  const auto above_a = bridges_above(all, a);
  const auto above_b = bridges_above(all, b);
  for (auto at = above_a.begin(); at != above_a.end(); ++at) {
    const auto met = std::ranges::find(above_b, *at);
    if (met != above_b.end()) return {0, (at - above_a.begin()) + (met - above_b.begin())};
  }
  if (!a.root.empty() && a.root == b.root) return {1, 0};
  const auto node = numa_node(root, a);
  return {node && node == numa_node(root, b) ? 2U : 3U, 0};
}

}  // namespace

NearestGpus nearest_gpus(const SysRoot& root, const std::vector<PciDevice>& all, const PciDevice& adapter) {
  NearestGpus nearest;
  std::optional<Distance> least;
  for (const PciDevice& device : all) {
    // A virtual function of a GPU stands where the GPU stands.
    if (device.kind != "gpu" || !device.physical_function.empty()) continue;
    const Distance away = distance(root, all, adapter, device);
    if (least && away > *least) continue;
    if (!least || away < *least) nearest.addresses.clear();
    least = away;
    nearest.addresses.push_back(device.address);
  }
  if (least) nearest.by = kShared.at(least->first);
  return nearest;
}

}  // namespace rackproof
