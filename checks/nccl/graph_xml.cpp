#include "checks/nccl/graph_xml.h"

#include <algorithm>
#include <cctype>
#include <pugixml.hpp>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

constexpr int kDeepest = 64;
constexpr int kRing = 0;
constexpr int kNvls = 3;

void load(pugi::xml_document& document, const std::string& text, const std::string& name, const char* root) {
  const pugi::xml_parse_result result = document.load_buffer(text.data(), text.size(), pugi::parse_minimal);
  if (!result) throw Trouble{name + " is no XML of NCCL: " + result.description()};
  if (!document.child(root)) throw Trouble{name + " has no element <" + root + ">"};
}

std::string address_of(const pugi::xml_node& node, const char* attribute) {
  std::string text = node.attribute(attribute).as_string();
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

NcclGpu gpu_of(const pugi::xml_node& node, const std::string& address) {
  NcclGpu gpu{.address = address,
              .index = node.attribute("dev").as_int(-1),
              .rank = node.attribute("rank").as_int(-1),
              .compute = node.attribute("sm").as_int(),
              .nvlinks = {}};
  for (const pugi::xml_node& link : node.children("nvlink")) {
    gpu.nvlinks.push_back(
        {address_of(link, "target"), link.attribute("tclass").as_string(), link.attribute("count").as_int()});
  }
  return gpu;
}

// system > cpu > (pci | nic)*, pci > (pci | gpu | nic)*, nic > net*. `address` is that of the nearest pci above.
void walk(const pugi::xml_node& node, const std::string& address, int depth, NcclTopology& topology) {
  if (depth > kDeepest) return;
  for (const pugi::xml_node& child : node.children()) {
    const std::string name = child.name();
    if (name == "gpu") {
      topology.gpus.push_back(gpu_of(child, address));
    } else if (name == "net") {
      // Mbit/s; 0 and less: unknown.
      const double speed = child.attribute("speed").as_double();
      topology.nets.push_back({child.attribute("name").as_string(), address, speed > 0 ? speed / 8000 : 0});
    } else {
      walk(child, name == "pci" ? address_of(child, "busid") : address, depth + 1, topology);
    }
  }
}

}  // namespace

int NcclGpu::links() const {
  int sum = 0;
  for (const NcclNvlinks& one : nvlinks) sum += one.count;
  return sum;
}

NcclTopology parse_topology(const std::string& text, const std::string& name) {
  pugi::xml_document document;
  load(document, text, name, "system");
  NcclTopology topology;
  walk(document.child("system"), "", 0, topology);
  return topology;
}

std::vector<NcclGraph> parse_graphs(const std::string& text, const std::string& name) {
  pugi::xml_document document;
  load(document, text, name, "graphs");
  std::vector<NcclGraph> graphs;
  for (const pugi::xml_node& node : document.child("graphs").children("graph")) {
    graphs.push_back({.id = node.attribute("id").as_int(-1),
                      .channels = node.attribute("nchannels").as_int(),
                      .channel_gbs = node.attribute("speedintra").as_double(),
                      .between_gbs = node.attribute("speedinter").as_double(),
                      .type_intra = node.attribute("typeintra").as_string()});
  }
  return graphs;
}

// NCCL src/graph/topo.h.
double nvlink_budget_gbs(int compute) {
  if (compute >= 100) return 40.1;
  if (compute >= 90) return 20.6;
  if (compute == 86) return 12;
  if (compute >= 70) return 20;
  return compute >= 60 ? 18 : 0;
}

std::optional<NcclBudget> budget_of(std::span<const NcclGraph> graphs, Collective what, int ranks, int compute) {
  std::optional<NcclBudget> best;
  for (const NcclGraph& graph : graphs) {
    if (graph.channels <= 0 || (graph.id != kRing && graph.id != kNvls)) continue;
    double gbs = graph.channels * graph.channel_gbs;
    if (graph.id == kNvls) {
      if (what != Collective::all_reduce) continue;
      // The share of it that NCCL reckons with: 0.85 on Hopper, 0.74 on Blackwell.
      gbs *= bus_factor(what, ranks) * (compute >= 100 ? 0.74 : 0.85);
    }
    if (!best || gbs > best->gbs) best = NcclBudget{gbs, graph.channels, graph.id == kRing ? "ring" : "NVLS"};
  }
  return best;
}

std::optional<NcclBudget> budget_between_nodes(std::span<const NcclGraph> graphs) {
  for (const NcclGraph& graph : graphs) {
    if (graph.id != kRing || graph.channels <= 0 || graph.between_gbs <= 0) continue;
    return NcclBudget{graph.channels * std::min(graph.channel_gbs, graph.between_gbs), graph.channels, "ring"};
  }
  return std::nullopt;
}

}  // namespace rackproof
