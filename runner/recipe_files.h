// Reads a recipe's file and the files that it includes, and brings their layers into one order.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "runner/yaml.h"

namespace rackproof {

struct WrittenStep {
  const YamlNode* node = nullptr;
  const YamlNode* defaults = nullptr;  // of its file; nullptr when it has none

  // What the step says of a field, or else what its file's defaults say; nullptr when neither does.
  const YamlNode* find(std::string_view field) const;
};

struct WrittenLayer {
  std::string name;
  std::vector<WrittenStep> steps;
};

// Every node has been checked against the tables of fields.h.
struct RecipeFiles {
  std::deque<YamlDocument> documents;  // which hold the nodes
  const YamlNode* recipe = nullptr;    // the file that was asked for
  std::vector<WrittenLayer> layers;    // bottom first: those of an included file come before its includer's
};

// Throws InputError. A file that is included twice counts once.
RecipeFiles read_recipe_files(const std::string& file);

}  // namespace rackproof
