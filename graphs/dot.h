// The run as a drawing for Graphviz: layers from the bottom, their trials, the parts they speak of, and the data paths.
#pragma once

#include <ostream>

#include "graphs/result_graph.h"

namespace rackproof {

// Measurements are lines in their trial's box. Of the devices only those are drawn that a trial measured or blames, that
// a link joins, and that these are part of: a machine has hundreds of bridges that say nothing.
void write_dot(const ResultGraph&, std::ostream&);

}  // namespace rackproof
