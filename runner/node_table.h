// A run on many nodes as a table: nodes down, layers across; nodes that stand alike share a row, however many they are.
#pragma once

#include <string>
#include <vector>

#include "graphs/run.h"
#include "runner/terminal.h"

namespace rackproof {

// Whether a run has trials on more than one node.
bool is_on_many_nodes(const Run&);

// Lines; at most `most_rows` of them for nodes, those with the worst outcomes first, and one that says how many are left out.
std::vector<std::string> node_table(const Run&, const Terminal&, std::size_t most_rows);

}  // namespace rackproof
