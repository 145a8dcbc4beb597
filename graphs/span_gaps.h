// Of whom too little is known to hold them against the others.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "graphs/span_evidence.h"

namespace rackproof {

struct SpanGap {
  std::size_t node = 0;  // index into SpanEvidence::nodes
  std::string lacks;     // "no steady bandwidth of what it sends"
};

// The nodes that may not pass a comparison by this metric. A node passes with one steady figure of what it sends and one of
// what it receives (either, where paths are measured in one direction only), on each rail that anybody has; and only among
// three such nodes, since two cannot be told apart. A figure that never became steady accuses, but it clears nobody.
std::vector<SpanGap> span_gaps(const SpanEvidence&, const std::string& metric);

}  // namespace rackproof
