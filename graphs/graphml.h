// The result graph as GraphML: strict, or with what yEd needs to show colours. No file can be both.
#pragma once

#include <ostream>

#include "graphs/result_graph.h"

namespace rackproof {

// Valid against the official schema. Ids are n0…, e0…; the readable path is the key `path`. Every key's id is its name,
// but for the edges' label, whose id is `edge_label` because ids are unique and nodes have a `label` too.
void write_graphml(const ResultGraph&, std::ostream&);

// The same graph and data with yFiles graphics, which the official schema does not allow.
void write_yed(const ResultGraph&, std::ostream&);

}  // namespace rackproof
