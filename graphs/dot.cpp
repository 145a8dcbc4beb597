#include "graphs/dot.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/range/iterator_range.hpp>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "checks/api/quantity.h"
#include "checks/api/utf8.h"
#include "graphs/style.h"

namespace rackproof {
namespace {

using Id = ResultGraph::Graph::vertex_descriptor;

// A quoted DOT text. `\n` in the result is a line break of the label; nothing of `text` is read as markup or escape.
std::string quoted(std::string_view text) {
  std::string valid = repaired_utf8(text);
  // Graphviz hands texts on to SVG, and XML cannot carry U+FFFE and U+FFFF.
  for (const std::string_view noncharacter : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    for (std::size_t at = 0; (at = valid.find(noncharacter, at)) != valid.npos;) {
      valid.replace(at, noncharacter.size(), kReplacement);
    }
  }
  std::string out = "\"";
  for (const char c : valid) {
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out + "\"";
}

double number_property(const ResultGraph& graph, const Properties& properties, std::string_view name) {
  for (const Property& property : properties) {
    if (property.type() != Property::Type::text && graph.pool->text(property.name()) == name) return property.number();
  }
  return std::nan("");
}

// One metric of one trial over its devices.
struct Range {
  double least = INFINITY;
  double most = -INFINITY;
  std::size_t n = 0;
  std::string_view unit;
};

struct TrialView {
  Id step = 0;
  Id node = 0;
  std::vector<std::string_view> metrics;  // in the order of the reports
  std::map<std::string_view, Range> ranges;
  std::set<Id> parts;
  std::set<Id> blamed;
};

std::string text_of(const Range& range) {
  const Unit* unit = find_unit(range.unit);
  if (unit == nullptr || range.n == 0) return "no number";
  const std::string most = to_text(readable({range.most, unit}));
  if (range.n == 1 || range.least == range.most) return range.n == 1 ? most : fmt::format("{} ×{}", most, range.n);
  return fmt::format("{} … {} ×{}", to_text(readable({range.least, unit})), most, range.n);
}

class Drawing {
 public:
  Drawing(const ResultGraph& graph, std::ostream& out) : graph_(graph), out_(out) {}

  void write() {
    collect();
    out_ << "digraph rackproof {\n"
            "  graph [rankdir=BT, fontname=\"Helvetica\", labelloc=t, compound=true, newrank=true, label="
         << quoted(title()) << "];\n"
            "  node [shape=box, style=\"filled,rounded\", fontname=\"Helvetica\", fontsize=10, color=\"#37474f\"];\n"
            "  edge [fontname=\"Helvetica\", fontsize=9, color=\"#9e9e9e\"];\n";
    layers();
    devices();
    edges();
    out_ << "}\n";
  }

 private:
  std::string_view text(const Properties& properties, std::string_view name) const {
    return text_property(graph_, properties, name);
  }

  std::string title() const {
    std::string title = fmt::format("{}: {}", text(graph_.properties, "recipe"), text(graph_.properties, "outcome"));
    if (const auto by = text(graph_.properties, "simulated"); !by.empty()) title += fmt::format("\nSIMULATED: {}", by);
    return title;
  }

  void collect() {
    const auto& g = graph_.graph;
    std::map<Id, Id> trial_of_evidence;
    for (const auto e : boost::make_iterator_range(boost::edges(g))) {
      const Id from = boost::source(e, g);
      const Id to = boost::target(e, g);
      switch (g[e].kind) {
        case EdgeKind::trial_of: trials_[from].step = to; trial_of_step_[to].push_back(from); break;
        case EdgeKind::ran_on: trials_[from].node = to; break;
        case EdgeKind::measured: trial_of_evidence[to] = from; note_measurement(trials_[from], g[to]); break;
        case EdgeKind::blames: trials_[from].blamed.insert(to); blamed_.insert(to); shown_.insert(to); break;
        case EdgeKind::link: shown_.insert(from); shown_.insert(to); linked_.emplace(from, to); break;
        case EdgeKind::part_of: parent_[from] = to; break;
        default: break;
      }
    }
    for (const auto e : boost::make_iterator_range(boost::edges(g))) {
      if (g[e].kind != EdgeKind::about || g[boost::target(e, g)].kind != VertexKind::device) continue;
      if (!is_worth_drawing(g[boost::source(e, g)])) continue;
      trials_[trial_of_evidence[boost::source(e, g)]].parts.insert(boost::target(e, g));
      shown_.insert(boost::target(e, g));
    }
    for (const Id device : std::set<Id>(shown_)) {
      for (auto up = parent_.find(device); up != parent_.end(); up = parent_.find(up->second)) {
        if (g[up->second].kind != VertexKind::device || !shown_.insert(up->second).second) break;
      }
    }
  }

  // A counter of a watch that did not move says nothing that a reader of a drawing needs.
  bool is_worth_drawing(const Vertex& evidence) const {
    return text(evidence.properties, "watch").empty() || number_property(graph_, evidence.properties, "value") != 0;
  }

  void note_measurement(TrialView& trial, const Vertex& measurement) {
    if (measurement.kind != VertexKind::measurement || !is_worth_drawing(measurement)) return;
    const auto [found, is_new] = trial.ranges.try_emplace(measurement.label);
    if (is_new) trial.metrics.push_back(measurement.label);
    Range& range = found->second;
    const double value = number_property(graph_, measurement.properties, "value");
    range.unit = text(measurement.properties, "unit");
    if (std::isnan(value)) return;
    range.least = std::min(range.least, value);
    range.most = std::max(range.most, value);
    ++range.n;
  }

  std::string label_of(Id trial) const {
    constexpr std::size_t kMostLines = 8;
    const Vertex& vertex = graph_.graph[trial];
    const TrialView& view = trials_.at(trial);
    std::string label = fmt::format("{}\n{}", vertex.label, text(vertex.properties, "outcome"));
    if (const double us = number_property(graph_, vertex.properties, "duration_us"); !std::isnan(us)) {
      label += fmt::format("  {}", to_text(readable({us, find_unit("us")})));
    }
    for (std::size_t i = 0; i < std::min(view.metrics.size(), kMostLines); ++i) {
      label += fmt::format("\n{}: {}", view.metrics[i], text_of(view.ranges.at(view.metrics[i])));
    }
    if (view.metrics.size() > kMostLines) label += fmt::format("\nand {} more", view.metrics.size() - kMostLines);
    return label;
  }

  void layers() {
    std::map<std::pair<Id, std::string_view>, std::vector<Id>> layers;
    for (const auto& [trial, view] : trials_) {
      layers[{view.node, text(graph_.graph[trial].properties, "layer")}].push_back(trial);
    }
    int number = 0;
    for (const auto& [where, trials] : layers) {
      const auto& [node, layer] = where;
      out_ << "  subgraph cluster_" << number++ << " {\n    label=" << quoted(fmt::format("{} / {}", graph_.graph[node].label, layer))
           << "; style=\"rounded\"; color=\"#b0bec5\";\n";
      for (const Id trial : trials) {
        out_ << "    v" << trial << " [label=" << quoted(label_of(trial)) << ", fillcolor=\""
             << colour_of(graph_, graph_.graph[trial]) << "\"];\n";
      }
      out_ << "  }\n";
    }
  }

  void devices() {
    for (const Id device : shown_) {
      const Vertex& vertex = graph_.graph[device];
      if (vertex.kind != VertexKind::device) continue;
      const std::string_view id = text(vertex.properties, "device");
      const std::string label = vertex.label == id ? std::string(id) : fmt::format("{}\n{}", id, vertex.label);
      out_ << "  v" << device << " [label=" << quoted(label) << ", shape=ellipse, fillcolor=\""
           << (blamed_.contains(device) ? colour_of_outcome("fail") : colour_of(graph_, vertex)) << "\"];\n";
    }
  }

  void edges() {
    const auto& g = graph_.graph;
    for (const auto e : boost::make_iterator_range(boost::edges(g))) {
      const Id from = boost::source(e, g);
      const Id to = boost::target(e, g);
      const EdgeKind kind = g[e].kind;
      if (kind == EdgeKind::needs) {
        for (const Id trial : trial_of_step_[from]) {
          for (const Id needed : trial_of_step_[to]) {
            // Drawn upwards, in the direction of the climb.
            if (trials_[trial].node == trials_[needed].node) arrow(needed, trial, kind, "");
          }
        }
      } else if (kind == EdgeKind::link) {
        arrow(from, to, kind, link_label(g[e]));
      } else if (kind == EdgeKind::part_of && shown_.contains(from) && shown_.contains(to) &&
                 !linked_.contains({to, from})) {
        arrow(to, from, kind, "", "style=dotted, arrowhead=none");
      }
    }
    for (const auto& [trial, view] : trials_) {
      for (const Id part : view.parts) {
        if (!view.blamed.contains(part)) arrow(part, trial, EdgeKind::about, "", "style=dashed, arrowhead=none");
      }
      for (const Id part : view.blamed) arrow(part, trial, EdgeKind::blames, "blamed", "penwidth=3");
    }
  }

  std::string link_label(const Edge& edge) const {
    std::string label(text(edge.properties, "kind"));
    const double speed = number_property(graph_, edge.properties, "speed_gts");
    const double width = number_property(graph_, edge.properties, "width_lanes");
    const double bandwidth = number_property(graph_, edge.properties, "bandwidth_gbs");
    if (!std::isnan(speed) && !std::isnan(width)) label += fmt::format("\n{} GT/s x{}", speed, width);
    if (!std::isnan(bandwidth)) label += fmt::format("\n{:.3g} GB/s", bandwidth);
    return label;
  }

  void arrow(Id from, Id to, EdgeKind kind, const std::string& label, std::string_view more = "") {
    out_ << "  v" << from << " -> v" << to << " [color=\"" << colour_of(kind) << '"';
    if (!label.empty()) out_ << ", label=" << quoted(label);
    if (!more.empty()) out_ << ", " << more;
    out_ << "];\n";
  }

  const ResultGraph& graph_;
  std::ostream& out_;
  std::map<Id, TrialView> trials_;
  std::map<Id, std::vector<Id>> trial_of_step_;
  std::map<Id, Id> parent_;
  std::set<Id> shown_;
  std::set<Id> blamed_;
  std::set<std::pair<Id, Id>> linked_;
};

}  // namespace

void write_dot(const ResultGraph& graph, std::ostream& out) { Drawing(graph, out).write(); }

}  // namespace rackproof
