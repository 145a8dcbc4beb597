// The result graph as node-link JSON, the form that NetworkX and D3 read.
#pragma once

#include <ostream>

#include "graphs/result_graph.h"

namespace rackproof {

// {"directed":true,"multigraph":true,"graph":{…},"nodes":[{"id":path,…}],"links":[{"source":path,"target":path,…}]},
// one node or link a line.
void write_json(const ResultGraph&, std::ostream&);

}  // namespace rackproof
