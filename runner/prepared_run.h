// A run that is about to begin or to go on: its folder, its journal, and what is known before the first trial.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graphs/journal.h"
#include "graphs/run.h"
#include "runner/executor.h"
#include "runner/installation.h"
#include "runner/recipe.h"

namespace rackproof {

// A recipe's file, by its path or the name of an installed recipe.
std::string recipe_file(const std::string& given, const Installation&);

std::string host_name();

// The nodes that a run has trials on, in order.
std::vector<std::string> nodes_of(const Run&);

CommandOf command_maker(const Installation&);

struct PreparedRun {
  Run run;
  std::string folder;
  std::optional<JournalWriter> journal;
  std::vector<Event> first;  // what a listener hears first
};

struct NewRun {
  std::string id;
  std::string node;    // that plans it
  std::string folder;  // to be made
  Facts facts;         // beside those of the machine
};

// Writes the run's plan down: each step once on each node. Throws InputError where the folder cannot be made.
PreparedRun prepare(const Recipe&, const std::vector<std::string>& nodes, const NewRun&);

// Takes up a run that was cut off. Throws InputError for what holds no run or no whole plan.
PreparedRun take_up(const std::string& folder);

}  // namespace rackproof
