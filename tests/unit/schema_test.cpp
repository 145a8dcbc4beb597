#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "runner/fields.h"
#include "runner/recipe.h"
#include "tests/support/text_files.h"

using namespace rackproof;

namespace {

// RACKPROOF_WRITE_GOLDEN=1 writes the file anew.
void is_shipped(const std::string& schema, const std::string& name) {
  const auto file = std::filesystem::path(RACKPROOF_SOURCE_DIRECTORY) / "recipes" / name;
  if (std::getenv("RACKPROOF_WRITE_GOLDEN") != nullptr) std::ofstream(file) << schema;
  CHECK(text_of_file(file) == schema);
}

}  // namespace

TEST_CASE("the shipped schemas are those that the parser's tables give") {
  is_shipped(recipe_schema(), "recipe.schema.json");
  is_shipped(limits_schema(), "limits.schema.json");
}

TEST_CASE("a schema knows every field, requires what is required and allows nothing else") {
  const auto schema = nlohmann::json::parse(recipe_schema());
  CHECK(schema["$schema"] == "http://json-schema.org/draft-07/schema#");
  const auto check = [](const nlohmann::json& object, const Table& table) {
    CAPTURE(table.name);
    CHECK(object["additionalProperties"] == false);
    CHECK(object["properties"].size() == table.fields.size());
    std::vector<std::string> required;
    for (const Field& field : table.fields) {
      CAPTURE(field.name);
      CHECK(object["properties"][std::string(field.name)]["description"] == field.help);
      if (field.required) required.emplace_back(field.name);
    }
    CHECK(object.value("required", std::vector<std::string>{}) == required);
  };
  check(schema, kRecipeTable);
  check(schema["definitions"]["layer"], kLayerTable);
  check(schema["definitions"]["step"], kStepTable);
  check(schema["definitions"]["defaults"], kDefaultsTable);
  const auto limits = nlohmann::json::parse(limits_schema());
  check(limits, kLimitsTable);
  check(limits["definitions"]["limit"], kLimitTable);
  check(limits["definitions"]["match"], kMatchTable);
  CHECK(limits["definitions"]["limit"]["oneOf"].size() == 2);
}

TEST_CASE("defaults are fields of a step, in the same form") {
  for (const Field& field : kDefaultsTable.fields) {
    const auto same = std::find_if(kStepTable.fields.begin(), kStepTable.fields.end(), [&](const Field& other) {
      return other.name == field.name && other.form == field.form && other.many == field.many;
    });
    CAPTURE(field.name);
    CHECK(same != kStepTable.fields.end());
  }
}
