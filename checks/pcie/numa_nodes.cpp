#include "checks/pcie/numa_nodes.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string>

namespace rackproof {
namespace {

constexpr const char* kNodes = "/sys/devices/system/node";

// "Node 0 MemTotal:       1073741824 kB"; a node of CPUs alone says 0.
bool has_memory(const SysRoot& root, const std::string& folder) {
  const auto text = root.text(folder + "/meminfo");
  if (!text) return false;
  const std::size_t total = text->find("MemTotal:");
  if (total == std::string::npos) return false;
  std::istringstream words(text->substr(total + sizeof "MemTotal:" - 1));
  long long kilobytes = 0;
  return words >> kilobytes && kilobytes > 0;
}

}  // namespace

std::vector<MemoryNode> numa_nodes_with_memory(const SysRoot& root) {
  std::vector<MemoryNode> nodes;
  for (const std::string& name : root.list(kNodes)) {
    if (!name.starts_with("node")) continue;
    MemoryNode node;
    const char* const end = name.data() + name.size();
    const auto [rest, code] = std::from_chars(name.data() + 4, end, node.number);
    const std::string folder = std::string(kNodes) + "/" + name;
    if (code != std::errc{} || rest != end || !has_memory(root, folder)) continue;
    std::istringstream distances(root.text(folder + "/distance").value_or(""));
    for (int one = 0; distances >> one;) node.distances.push_back(one);
    nodes.push_back(std::move(node));
  }
  std::ranges::sort(nodes, {}, &MemoryNode::number);
  return nodes;
}

int far_node(const std::vector<MemoryNode>& nodes, int near) {
  const auto own = std::ranges::find(nodes, near, &MemoryNode::number);
  if (own == nodes.end()) return -1;
  int farthest = -1;
  int greatest = -1;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].number == near) continue;
    // Nodes without memory are in the distances too, so that a place counts only where there are none.
    const int distance = own->distances.size() == nodes.size() ? own->distances[i] : 0;
    if (distance <= greatest) continue;
    greatest = distance;
    farthest = nodes[i].number;
  }
  return farthest;
}

}  // namespace rackproof
