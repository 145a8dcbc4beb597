// What a run measured, on which parts, and how all of it hangs together: the fold of the journal, as a graph.
#pragma once

#include <boost/graph/adjacency_list.hpp>
#include <cstdint>
#include <memory>
#include <string_view>

#include "graphs/property.h"
#include "graphs/run.h"

namespace rackproof {

enum class VertexKind : std::uint8_t { run, node, device, step, trial, measurement, fault };
enum class EdgeKind : std::uint8_t {
  part_of,     // device → device, device → node
  link,        // device → device: a data path, from the side nearer to the CPU
  needs,       // step → step
  trial_of,    // trial → step
  ran_on,      // trial → node
  measured,    // trial → measurement
  about,       // measurement or fault → device, or → node
  blocked_by,  // trial → trial
  blames,      // trial → device, weighted: the share of its findings that name the device
};

std::string_view to_text(VertexKind);
std::string_view to_text(EdgeKind);

struct Vertex {
  VertexKind kind{};
  std::string_view path;   // stable and readable: "node7/trial/links"
  std::string_view label;  // short, for drawings
  Properties properties;
};

struct Edge {
  EdgeKind kind{};
  double weight = 1;
  Properties properties;
};

struct ResultGraph {
  using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS, Vertex, Edge>;

  Graph graph;
  Properties properties;  // of the run: recipe, outcome, "simulated"
  std::unique_ptr<TextPool> pool = std::make_unique<TextPool>();  // owns every text above
};

ResultGraph fold(const Run&);

}  // namespace rackproof
