#include "graphs/json_graph.h"

#include <boost/range/iterator_range.hpp>

#include "checks/api/json_line.h"

namespace rackproof {
namespace {

void add(JsonLine& line, const ResultGraph& graph, const Properties& properties) {
  if (properties.empty()) return;
  line.open("properties");
  for (const Property& property : properties) {
    const std::string_view name = graph.pool->text(property.name());
    switch (property.type()) {
      case Property::Type::text: line.add(name, property.text()); break;
      case Property::Type::integer: line.add(name, property.integer()); break;
      case Property::Type::number: line.add(name, property.number()); break;
    }
  }
  line.close();
}

}  // namespace

void write_json(const ResultGraph& graph, std::ostream& out) {
  JsonLine about;
  add(about, graph, graph.properties);
  out << "{\"directed\":true,\"multigraph\":true,\"graph\":" << std::move(about).text() << ",\n\"nodes\":[";
  const char* separator = "\n";
  for (const auto v : boost::make_iterator_range(boost::vertices(graph.graph))) {
    const Vertex& vertex = graph.graph[v];
    JsonLine line;
    line.add("id", vertex.path);
    line.add("kind", to_text(vertex.kind));
    line.add("label", vertex.label);
    add(line, graph, vertex.properties);
    out << separator << std::move(line).text();
    separator = ",\n";
  }
  out << "\n],\n\"links\":[";
  separator = "\n";
  for (const auto e : boost::make_iterator_range(boost::edges(graph.graph))) {
    const Edge& edge = graph.graph[e];
    JsonLine line;
    line.add("source", graph.graph[boost::source(e, graph.graph)].path);
    line.add("target", graph.graph[boost::target(e, graph.graph)].path);
    line.add("relation", to_text(edge.kind));
    line.add("weight", edge.weight);
    add(line, graph, edge.properties);
    out << separator << std::move(line).text();
    separator = ",\n";
  }
  out << "\n]}\n";
}

}  // namespace rackproof
