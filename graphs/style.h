// How a graph looks wherever it is drawn: colours, sizes and places that say the same in every export.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "graphs/result_graph.h"

namespace rackproof {

struct DrawnPlace {
  double x = 0;
  double y = 0;
};

// Value of a text property; empty when absent.
std::string_view text_property(const ResultGraph&, const Properties&, std::string_view name);

// "#rrggbb": by outcome where a vertex has one, otherwise by kind.
std::string_view colour_of(const ResultGraph&, const Vertex&);
std::string_view colour_of(EdgeKind);
std::string_view colour_of_outcome(std::string_view outcome);
double size_of(VertexKind);

// Columns by kind, from the run on the left to its measurements on the right; rows in the order of the graph.
std::vector<DrawnPlace> places_of(const ResultGraph&);

}  // namespace rackproof
