#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "checks/api/units.h"
#include "runner/fields.h"
#include "runner/recipe.h"

namespace rackproof {
namespace {

using Json = nlohmann::ordered_json;

std::string pattern_of(const Word& word) { return fmt::format("^[a-z0-9][a-z0-9{}]*$", word.also); }

// "60 s": a number above 0 in any unit of the dimension.
std::string pattern_of(Dimension dimension) {
  std::string symbols;
  for (const Unit& unit : units()) {
    if (unit.dimension == dimension) symbols += fmt::format("{}{}", symbols.empty() ? "" : "|", unit.symbol);
  }
  return fmt::format(R"(^\s*[0-9.]+([eE][+-]?[0-9]+)?\s*({})\s*$)", symbols);
}

Json reference_to(const Table& table) { return {{"$ref", fmt::format("#/definitions/{}", table.name)}}; }

// What one value of the field must be.
Json value_of(const Field& field) {
  switch (field.form) {
    case Form::text:
    case Form::sentence: return {{"type", "string"}, {"minLength", 1}};
    case Form::name:
    case Form::id:
    case Form::check:
      return {{"type", "string"}, {"pattern", pattern_of(word_of(field.form))}, {"maxLength", kLongestWord}};
    case Form::flag: return {{"type", "boolean"}};
    case Form::time: return {{"type", "string"}, {"pattern", pattern_of(Dimension::time)}};
    case Form::bytes: return {{"type", "string"}, {"pattern", pattern_of(Dimension::bytes)}};
    case Form::number: return {{"type", "integer"}, {"minimum", 1}};
    case Form::span: return {{"type", "string"}, {"pattern", "^(pairs|rings|all|groups of [1-9][0-9]*)$"}};
    case Form::within: return {{"enum", {"leaf", "rack", "any"}}};
    case Form::parameters:
      return {{"type", "object"}, {"additionalProperties", {{"type", {"string", "number", "boolean"}}}}};
    case Form::record: return reference_to(*field.of);
    case Form::by_check:
      return {{"type", "object"},
              {"propertyNames", {{"pattern", pattern_of(word_of(Form::check))}, {"maxLength", kLongestWord}}},
              {"additionalProperties", {{"type", "array"}, {"items", reference_to(*field.of)}}}};
  }
  return Json::object();
}

Json property_of(const Field& field) {
  const Json one = value_of(field);
  const Json list{{"type", "array"}, {"items", one}};
  Json property{{"description", field.help}};
  switch (field.many) {
    // Draft-07 readers look at nothing beside a $ref, so the description and the reference are kept apart.
    case Many::one:
      if (one.contains("$ref")) {
        property["allOf"] = Json::array({one});
      } else {
        property.update(one);
      }
      break;
    case Many::list: property.update(list); break;
    case Many::one_or_list: property["anyOf"] = Json::array({one, list}); break;
  }
  return property;
}

Json requiring(std::string_view field) { return {{"required", Json::array({field})}}; }

Json object_of(const Table& table) {
  Json object{{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
  Json required = Json::array();
  for (const Field& field : table.fields) {
    object["properties"][std::string(field.name)] = property_of(field);
    if (field.required) required.push_back(field.name);
  }
  if (!required.empty()) object["required"] = std::move(required);
  if (!table.either.one.empty()) {
    object[table.either.both ? "anyOf" : "oneOf"] =
        Json::array({requiring(table.either.one), requiring(table.either.other)});
  }
  return object;
}

void define_parts(const Table& table, Json& definitions) {
  for (const Field& field : table.fields) {
    if (field.of == nullptr) continue;
    definitions[std::string(field.of->name)] = object_of(*field.of);
    define_parts(*field.of, definitions);
  }
}

std::string schema_of(const Table& table, std::string_view title) {
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", title}};
  schema.update(object_of(table));
  Json definitions = Json::object();
  define_parts(table, definitions);
  schema["definitions"] = std::move(definitions);
  return schema.dump(2) + "\n";
}

}  // namespace

std::string recipe_schema() { return schema_of(kRecipeTable, "A recipe of rackproof"); }

std::string limits_schema() { return schema_of(kLimitsTable, "A limits file of rackproof"); }

}  // namespace rackproof
