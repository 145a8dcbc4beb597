#include <array>

#include "graphs/result_graph.h"

namespace rackproof {
namespace {

constexpr std::array<std::string_view, 7> kVertexKinds{"run",  "node",        "device", "step",
                                                       "trial", "measurement", "fault"};
constexpr std::array<std::string_view, 9> kEdgeKinds{"part_of",  "link",  "needs",      "trial_of", "ran_on",
                                                     "measured", "about", "blocked_by", "blames"};

}  // namespace

std::string_view to_text(VertexKind kind) { return kVertexKinds[static_cast<std::size_t>(kind)]; }
std::string_view to_text(EdgeKind kind) { return kEdgeKinds[static_cast<std::size_t>(kind)]; }

}  // namespace rackproof
