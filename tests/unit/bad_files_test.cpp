// Every recipe and limits file in tests/golden/bad is refused with exactly the sentence that stands beside it. A file
// limits-*.yaml is laid over limits-over.part; a first line "# --set X" is given as on the command line.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "runner/recipe.h"
#include "tests/support/known_checks.h"
#include "tests/support/text_files.h"

using namespace rackproof;
namespace fs = std::filesystem;

namespace {

RecipeSources sources_of(const fs::path& file) {
  const std::string name = file.filename().string();
  RecipeSources sources{.file = name, .limits = {}, .sets = {}};
  if (name.starts_with("limits-")) sources = {.file = "limits-over.part", .limits = {name}, .sets = {}};
  const std::string text = text_of_file(file);
  constexpr std::string_view kSet = "# --set ";
  if (text.starts_with(kSet)) sources.sets = {text.substr(kSet.size(), text.find('\n') - kSet.size())};
  return sources;
}

std::string refusal_of(const RecipeSources& sources) {
  Catalog catalog(known_checks());
  try {
    read_recipe(sources, catalog);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("bad recipes and limits files are refused with the sentence that is written down for them") {
  const fs::path before = fs::current_path();
  const fs::path folder = fs::path(RACKPROOF_SOURCE_DIRECTORY) / "tests/golden/bad";
  fs::current_path(folder);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(".")) {
    if (entry.path().extension() != ".yaml") continue;
    ++files;
    const std::string refusal = refusal_of(sources_of(entry.path()));
    const fs::path expected = fs::path(entry.path()).replace_extension(".expected");
    // Written anew only when somebody says so, and then read by a person in the difference.
    if (std::getenv("RACKPROOF_WRITE_GOLDEN") != nullptr) std::ofstream(expected) << refusal << "\n";
    CAPTURE(entry.path().string());
    CHECK(refusal + "\n" == text_of_file(expected));
    CHECK(refusal.find('\n') == refusal.npos);
  }
  fs::current_path(before);
  CHECK(files >= 100);
}
