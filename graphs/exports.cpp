#include "graphs/exports.h"

#include <algorithm>

#include "graphs/dot.h"
#include "graphs/graphml.h"
#include "graphs/json_graph.h"

namespace rackproof {
namespace {

constexpr ExportFormat kFormats[] = {
    {"graphml", "graphml", "GraphML, valid against the official schema: NetworkX, igraph, Gephi, Boost", write_graphml},
    {"yed", "yed.graphml", "GraphML with the colours and labels that yEd shows", write_yed},
    {"json", "json", "node-link JSON: NetworkX, D3", write_json},
    {"dot", "dot", "a drawing for Graphviz: dot -Tsvg", write_dot},
};

}  // namespace

std::span<const ExportFormat> export_formats() { return kFormats; }

const ExportFormat* find_export_format(std::string_view name) {
  const auto* found = std::ranges::find(kFormats, name, &ExportFormat::name);
  return found == std::end(kFormats) ? nullptr : found;
}

}  // namespace rackproof
