#include "graphs/style.h"

#include <array>

#include <boost/range/iterator_range.hpp>

namespace rackproof {
namespace {

struct Colour {
  std::string_view word;
  std::string_view rgb;
};

// Told apart by most colour-blind readers too: blue for good, orange and red for bad (after Okabe and Ito).
constexpr Colour kOutcomes[] = {{"pass", "#56b4e9"},    {"info", "#cfd8dc"}, {"skip", "#eceff1"}, {"warn", "#f0e442"},
                                {"blocked", "#b0a8b9"}, {"error", "#e69f00"}, {"fail", "#d55e00"}, {"open", "#ffffff"},
                                {"planned", "#ffffff"}};
constexpr std::array<std::string_view, 7> kKinds{"#37474f", "#78909c", "#a5d6a7", "#e0e0e0",
                                                 "#cfd8dc", "#f5f5f5", "#d55e00"};
constexpr std::array<double, 7> kSizes{40, 32, 20, 20, 24, 10, 24};
constexpr std::array<double, 7> kColumns{0, 200, 400, 800, 1000, 1400, 1400};

}  // namespace

std::string_view text_property(const ResultGraph& graph, const Properties& properties, std::string_view name) {
  for (const Property& property : properties) {
    if (property.type() == Property::Type::text && graph.pool->text(property.name()) == name) return property.text();
  }
  return {};
}

std::string_view colour_of_outcome(std::string_view outcome) {
  for (const Colour& colour : kOutcomes) {
    if (colour.word == outcome) return colour.rgb;
  }
  return "#ffffff";
}

std::string_view colour_of(const ResultGraph& graph, const Vertex& vertex) {
  if (vertex.kind == VertexKind::trial) return colour_of_outcome(text_property(graph, vertex.properties, "outcome"));
  return kKinds[static_cast<std::size_t>(vertex.kind)];
}

std::string_view colour_of(EdgeKind kind) {
  switch (kind) {
    case EdgeKind::blames: return "#d55e00";
    case EdgeKind::blocked_by: return "#b0a8b9";
    case EdgeKind::link: return "#2e7d32";
    case EdgeKind::needs: return "#455a64";
    default: return "#9e9e9e";
  }
}

double size_of(VertexKind kind) { return kSizes[static_cast<std::size_t>(kind)]; }

std::vector<DrawnPlace> places_of(const ResultGraph& graph) {
  std::array<double, 7> rows{};
  std::vector<DrawnPlace> places;
  places.reserve(boost::num_vertices(graph.graph));
  for (const auto v : boost::make_iterator_range(boost::vertices(graph.graph))) {
    const auto kind = static_cast<std::size_t>(graph.graph[v].kind);
    places.push_back({kColumns[kind], 60 * rows[kind]});
    rows[kind] += 1;
  }
  return places;
}

}  // namespace rackproof
