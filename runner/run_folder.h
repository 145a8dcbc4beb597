// Where runs are kept: one folder a run, its journal in it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "graphs/journal.h"

namespace rackproof {

inline constexpr const char* kRunsDirectory = "rackproof-runs";

// "node-20261123T201516Z-4711": recipe, time, process; unique on a machine.
std::string new_run_id(const std::string& recipe);

// Creates the folder (and those above it) for a new run; one that exists must be empty. Throws InputError.
void make_run_folder(const std::string& folder);

// The latest run below a directory of runs, of the recipe if one is given, but for the one in the folder `except`; empty
// when there is none.
std::string latest_run(const std::string& runs, const std::string& recipe = "", const std::string& except = "");

// The run in a folder or journal that the user named. Throws InputError for what holds no run.
JournalRead read_run(const std::string& path);

// How long each step took in a run; empty when it cannot be read.
std::map<std::string, std::int64_t> durations_of(const std::string& run);

}  // namespace rackproof
