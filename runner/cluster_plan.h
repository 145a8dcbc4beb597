// The plan of a run on many nodes: each step once on each node, after the node's answer; and once on the fabric for a
// step that spans nodes, where what is nobody's own is judged.
#pragma once

#include <string>
#include <vector>

#include "graphs/run.h"
#include "runner/engine.h"
#include "runner/prepared_run.h"
#include "runner/recipe.h"

namespace rackproof {

// The step before all others: that a node answers, runs the same rackproof and reads the same recipe.
inline constexpr const char* kAnswerStep = "answer";
inline constexpr const char* kAnswerLayer = "nodes";

// The recipe with the answer below it. Throws InputError where it has a step of that name, a node of the fabric's name,
// or a step of each node that needs one which spans nodes: those come last.
Recipe with_answer(Recipe, const std::vector<ClusterNode>&);

// Writes the plan of a new run down. Throws InputError where the folder cannot be made.
PreparedRun prepare_cluster(const Recipe&, const std::vector<std::string>& nodes, const NewRun&);

}  // namespace rackproof
