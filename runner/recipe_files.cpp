#include "runner/recipe_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "runner/fields.h"
#include "runner/text_file.h"

namespace rackproof {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDeepestInclude = 64;

// One name for a file, whichever way it was reached.
std::string identity_of(const std::string& file) {
  std::error_code error;
  const fs::path path = fs::canonical(file, error);
  return error ? file : path.string();
}

class Reader {
 public:
  void read(const std::string& file, const Place& asked_from) {
    const std::string identity = identity_of(file);
    refuse_circle(file, identity, asked_from);
    if (!done_.insert(identity).second) return;

    const std::string text = read_text_file(file, asked_from);
    const YamlDocument& document = files_.documents.emplace_back(file, text);
    const YamlNode& root = document.root();
    check_record(root, kRecipeTable);
    if (files_.recipe == nullptr) files_.recipe = &root;

    open_.push_back({file, identity});
    for (const YamlNode* item : items_of(root, "include")) {
      read((fs::path(file).parent_path() / item->text).string(), item->place);
    }
    open_.pop_back();
    for (const YamlNode* layer : items_of(root, "layers")) add(*layer, root.find("defaults"));
  }

  RecipeFiles files() && { return std::move(files_); }

 private:
  struct Open {
    std::string file;
    std::string identity;
  };

  void refuse_circle(const std::string& file, const std::string& identity, const Place& asked_from) const {
    auto open = std::ranges::find(open_, identity, &Open::identity);
    if (open == open_.end()) {
      if (open_.size() < kDeepestInclude) return;
      refuse(asked_from, fmt::format("includes go more than {} files deep", kDeepestInclude));
    }
    std::string circle;
    for (; open != open_.end(); ++open) circle += open->file + " → ";
    refuse(asked_from, fmt::format("a circle of includes: {}{}", circle, file));
  }

  void add(const YamlNode& layer, const YamlNode* defaults) {
    const std::string name = text_of(layer, "layer");
    auto found = std::ranges::find(files_.layers, name, &WrittenLayer::name);
    if (found == files_.layers.end()) found = files_.layers.insert(found, WrittenLayer{name, {}});
    for (const YamlNode* step : items_of(layer, "steps")) found->steps.push_back({step, defaults});
  }

  RecipeFiles files_;
  std::vector<Open> open_;      // from the file asked for to the one being read
  std::set<std::string> done_;  // identities
};

}  // namespace

const YamlNode* WrittenStep::find(std::string_view field) const {
  const YamlNode* said = node->find(field);
  if (said != nullptr || defaults == nullptr) return said;
  return defaults->find(field);
}

RecipeFiles read_recipe_files(const std::string& file) {
  Reader reader;
  reader.read(file, {file, 0, 0});
  return std::move(reader).files();
}

}  // namespace rackproof
