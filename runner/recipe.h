// A recipe with its limits laid over it, read and checked whole: whatever could be wrong with it is said before
// anything runs.
#pragma once

#include <string>
#include <vector>

#include "graphs/step.h"
#include "runner/catalog.h"
#include "runner/input_error.h"

namespace rackproof {

struct Recipe {
  std::string name;
  std::string summary;
  std::string file;
  std::vector<std::string> layers;  // bottom first
  std::vector<Step> steps;          // in order
};

struct RecipeSources {
  std::string file;
  std::vector<std::string> limits;  // files, laid over in this order
  std::vector<std::string> sets;    // "step.param=value", from the command line
};

// Throws InputError.
Recipe read_recipe(const RecipeSources&, Catalog&);

// Limits files alone, applied to steps that were read from a journal: every expectation of an earlier limits file is
// replaced, those of the recipe stay. Throws InputError.
void lay_limits_over(std::vector<Step>&, const std::vector<std::string>& files);

// The JSON Schemas (draft-07) of recipes and of limits files, printed from the tables that the parser uses.
std::string recipe_schema();
std::string limits_schema();

}  // namespace rackproof
