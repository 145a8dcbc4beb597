#include "graphs/graphml.h"

#include <algorithm>
#include <array>
#include <boost/range/iterator_range.hpp>
#include <optional>
#include <string>
#include <vector>

#include "graphs/markup.h"
#include "graphs/style.h"

namespace rackproof {
namespace {

// Keys that the writer gives every node; a fact of the same name is written as "fact_…".
constexpr std::array<std::string_view, 10> kTaken{"label", "kind", "path", "color", "size",
                                                  "x",     "y",    "id",   "source", "target"};

std::string node_key(std::string_view name) {
  const bool taken = std::ranges::count(kTaken, name) > 0 || name.starts_with("edge_") || name.starts_with("run_") ||
                     name.starts_with("fact_") || name == "relation" || name == "weight";
  return taken ? "fact_" + std::string(name) : std::string(name);
}

std::string edge_key(std::string_view name) { return "edge_" + std::string(name); }
std::string run_key(std::string_view name) { return "run_" + std::string(name); }

// The keys of one element kind: for each property name its key and the widest type that any value needs.
class Keys {
 public:
  Keys(const TextPool& pool, std::string (*to_key)(std::string_view)) : pool_(pool), to_key_(to_key) {}

  void note(const Properties& properties) {
    for (const Property& property : properties) {
      if (property.name() >= types_.size()) types_.resize(pool_.names());
      auto& type = types_[property.name()];
      if (!type) {
        type = property.type();
      } else if (*type != property.type()) {
        const bool any_text = *type == Property::Type::text || property.type() == Property::Type::text;
        type = any_text ? Property::Type::text : Property::Type::number;
      }
    }
  }

  void declare(MarkupWriter& out, std::string_view element) {
    keys_.resize(types_.size());
    for (std::size_t name = 0; name < types_.size(); ++name) {
      if (!types_[name]) continue;
      keys_[name] = to_key_(pool_.text(static_cast<TextPool::Name>(name)));
      static constexpr std::array<std::string_view, 3> kTypes{"string", "long", "double"};
      out.raw("  <key id=\"").escaped(keys_[name]).raw("\" for=\"").raw(element).raw("\" attr.name=\"");
      out.escaped(keys_[name]).raw("\" attr.type=\"").raw(kTypes[static_cast<std::size_t>(*types_[name])]).raw("\"/>\n");
    }
  }

  void write(MarkupWriter& out, const Property& property) const {
    out.raw("<data key=\"").raw(keys_[property.name()]).raw("\">");
    switch (property.type()) {
      case Property::Type::text: out.escaped(property.text()); break;
      case Property::Type::integer: out.number(property.integer()); break;
      case Property::Type::number: out.number(property.number()); break;
    }
    out.raw("</data>");
  }

 private:
  const TextPool& pool_;
  std::string (*to_key_)(std::string_view);
  std::vector<std::optional<Property::Type>> types_;
  std::vector<std::string> keys_;
};

class Writer {
 public:
  Writer(const ResultGraph& graph, std::ostream& out, bool yed)
      : graph_(graph), out_(out), yed_(yed), nodes_(*graph.pool, node_key), edges_(*graph.pool, edge_key),
        run_(*graph.pool, run_key) {}

  void write() {
    for (const auto v : boost::make_iterator_range(boost::vertices(graph_.graph))) nodes_.note(graph_.graph[v].properties);
    for (const auto e : boost::make_iterator_range(boost::edges(graph_.graph))) edges_.note(graph_.graph[e].properties);
    run_.note(graph_.properties);

    head();
    out_.raw("  <graph id=\"run\" edgedefault=\"directed\">\n    ");
    for (const Property& property : graph_.properties) run_.write(out_, property);
    out_.raw("\n");
    const std::vector<DrawnPlace> places = places_of(graph_);
    for (const auto v : boost::make_iterator_range(boost::vertices(graph_.graph))) {
      node(static_cast<std::int64_t>(v), graph_.graph[v], places[v]);
    }
    std::int64_t number = 0;
    for (const auto e : boost::make_iterator_range(boost::edges(graph_.graph))) {
      edge(number++, static_cast<std::int64_t>(boost::source(e, graph_.graph)),
           static_cast<std::int64_t>(boost::target(e, graph_.graph)), graph_.graph[e]);
    }
    out_.raw("  </graph>\n</graphml>\n");
  }

 private:
  void key(std::string_view id, std::string_view element, std::string_view name, std::string_view type) {
    out_.raw("  <key id=\"").raw(id).raw("\" for=\"").raw(element).raw("\" attr.name=\"").raw(name);
    out_.raw("\" attr.type=\"").raw(type).raw("\"/>\n");
  }

  void head() {
    out_.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\""
             " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"");
    if (yed_) {
      out_.raw(" xmlns:y=\"http://www.yworks.com/xml/graphml\""
               " xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns"
               " http://www.yworks.com/xml/schema/graphml/1.1/ygraphml.xsd\">\n"
               "  <key id=\"node_graphics\" for=\"node\" yfiles.type=\"nodegraphics\"/>\n"
               "  <key id=\"edge_graphics\" for=\"edge\" yfiles.type=\"edgegraphics\"/>\n");
    } else {
      out_.raw(" xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns"
               " http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n");
    }
    for (const std::string_view text : {"label", "kind", "path", "color"}) key(text, "node", text, "string");
    for (const std::string_view number : {"size", "x", "y"}) key(number, "node", number, "double");
    nodes_.declare(out_, "node");
    key("relation", "edge", "relation", "string");
    key("edge_label", "edge", "label", "string");
    key("weight", "edge", "weight", "double");
    edges_.declare(out_, "edge");
    run_.declare(out_, "graph");
  }

  void data(std::string_view key, std::string_view text) {
    out_.raw("<data key=\"").raw(key).raw("\">").escaped(text).raw("</data>");
  }
  void data(std::string_view key, double number) {
    out_.raw("<data key=\"").raw(key).raw("\">").number(number).raw("</data>");
  }

  void node(std::int64_t number, const Vertex& vertex, DrawnPlace place) {
    out_.raw("    <node id=\"n").number(number).raw("\">");
    data("label", vertex.label);
    data("kind", to_text(vertex.kind));
    data("path", vertex.path);
    data("color", colour_of(graph_, vertex));
    data("size", size_of(vertex.kind));
    data("x", place.x);
    data("y", place.y);
    for (const Property& property : vertex.properties) nodes_.write(out_, property);
    if (yed_) {
      out_.raw("<data key=\"node_graphics\"><y:ShapeNode><y:Geometry height=\"30\" width=\"140\" x=\"").number(place.x);
      out_.raw("\" y=\"").number(place.y).raw("\"/><y:Fill color=\"").raw(colour_of(graph_, vertex));
      out_.raw("\" transparent=\"false\"/><y:BorderStyle color=\"#37474f\" type=\"line\" width=\"1.0\"/><y:NodeLabel>");
      // yEd reads a label that begins with <html> as HTML; a blank in front keeps it text.
      if (vertex.label.starts_with('<')) out_.raw(" ");
      out_.escaped(vertex.label).raw("</y:NodeLabel><y:Shape type=\"roundrectangle\"/></y:ShapeNode></data>");
    }
    out_.raw("</node>\n");
  }

  void edge(std::int64_t number, std::int64_t from, std::int64_t to, const Edge& edge) {
    out_.raw("    <edge id=\"e").number(number).raw("\" source=\"n").number(from).raw("\" target=\"n").number(to);
    out_.raw("\">");
    data("relation", to_text(edge.kind));
    data("edge_label", to_text(edge.kind));
    data("weight", edge.weight);
    for (const Property& property : edge.properties) edges_.write(out_, property);
    if (yed_) {
      out_.raw("<data key=\"edge_graphics\"><y:PolyLineEdge><y:LineStyle color=\"").raw(colour_of(edge.kind));
      out_.raw("\" type=\"line\" width=\"1.0\"/><y:Arrows source=\"none\" target=\"standard\"/></y:PolyLineEdge></data>");
    }
    out_.raw("</edge>\n");
  }

  const ResultGraph& graph_;
  MarkupWriter out_;
  bool yed_;
  Keys nodes_;
  Keys edges_;
  Keys run_;
};

}  // namespace

void write_graphml(const ResultGraph& graph, std::ostream& out) { Writer(graph, out, false).write(); }

void write_yed(const ResultGraph& graph, std::ostream& out) { Writer(graph, out, true).write(); }

}  // namespace rackproof
