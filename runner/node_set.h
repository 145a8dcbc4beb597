// Sets of nodes as Slurm writes them: "node[01-16,20],gpu7".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rackproof {

// In the order in which they are written, each once. Throws InputError.
std::vector<std::string> expand_nodes(std::string_view set);

// The shortest such text for the nodes; their order may change.
std::string fold_nodes(std::vector<std::string> nodes);

}  // namespace rackproof
