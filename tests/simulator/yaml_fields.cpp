#include "tests/simulator/yaml_fields.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "checks/api/quantity.h"

namespace rackproof::simulator {

void refuse(const std::string& file, const YAML::Mark& mark, const std::string& sentence) {
  const int line = mark.is_null() ? 1 : mark.line + 1;
  const int column = mark.is_null() ? 1 : mark.column + 1;
  throw std::runtime_error(file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + sentence);
}

YamlFields::YamlFields(const std::string& file, const YAML::Node& map, std::string what)
    : file_(file), map_(map), what_(std::move(what)) {
  if (!map.IsMap()) refuse(file_, map.Mark(), what_ + " must be a map of fields");
  for (const auto& entry : map) {
    if (!entry.first.IsScalar()) refuse(file_, entry.first.Mark(), "a field of " + what_ + " must have a name");
    const std::string name = entry.first.Scalar();
    if (has(name)) refuse(file_, entry.first.Mark(), "the field '" + name + "' of " + what_ + " stands twice");
    keys_.emplace_back(name, entry.first);
    values_.push_back(entry.second);
  }
}

bool YamlFields::has(const std::string& name) const {
  return std::ranges::any_of(keys_, [&](const auto& key) { return key.first == name; });
}

std::vector<std::string> YamlFields::names() const {
  std::vector<std::string> names;
  for (const auto& [name, node] : keys_) names.push_back(name);
  return names;
}

const YAML::Node& YamlFields::field(const std::string& name) {
  asked_.insert(name);
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].first == name) return values_[i];
  }
  refuse(file_, map_.Mark(), what_ + " has no field '" + name + "'");
}

void YamlFields::refuse_field(const std::string& name, const std::string& sentence) const {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (keys_[i].first == name) refuse(file_, values_[i].Mark(), sentence);
  }
  refuse(file_, map_.Mark(), sentence);
}

std::string YamlFields::text(const std::string& name) {
  const YAML::Node& node = field(name);
  if (!node.IsScalar() || node.Scalar().empty()) refuse_field(name, "'" + name + "' of " + what_ + " must be a text");
  return node.Scalar();
}

std::string YamlFields::text_or(const std::string& name, const std::string& otherwise) {
  return has(name) ? text(name) : otherwise;
}

bool YamlFields::flag_or(const std::string& name, bool otherwise) {
  if (!has(name)) return otherwise;
  const std::string word = text(name);
  if (word != "true" && word != "false") refuse_field(name, "'" + name + "' is '" + word + "': write true or false");
  return word == "true";
}

std::int64_t YamlFields::integer(const std::string& name, std::int64_t least, std::int64_t most) {
  const std::string given = text(name);
  std::string_view digits = given;
  const bool is_hex = digits.starts_with("0x");
  if (is_hex) digits.remove_prefix(2);
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value, is_hex ? 16 : 10);
  if (code != std::errc{} || end != digits.data() + digits.size() || value < least || value > most) {
    refuse_field(name, "'" + name + "' is '" + given + "', not a whole number from " + std::to_string(least) + " to " +
                           std::to_string(most));
  }
  return value;
}

double YamlFields::amount(const std::string& name, std::string_view unit) {
  const std::string given = text(name);
  QuantityError error;
  const auto quantity = parse_quantity(given, error);
  if (!quantity) refuse_field(name, "'" + name + "': " + error.text);
  const auto converted = convert(*quantity, *find_unit(unit));
  if (!converted) refuse_field(name, "'" + name + "' is '" + given + "', which is no amount in " + std::string(unit));
  if (*converted < 0) refuse_field(name, "'" + name + "' is '" + given + "', which is below 0");
  return *converted;
}

double YamlFields::quantity(const std::string& name, std::string_view unit) {
  const double value = amount(name, unit);
  if (value <= 0) refuse_field(name, "'" + name + "' must be above 0");
  return value;
}

double YamlFields::quantity_or_zero(const std::string& name, std::string_view unit) { return amount(name, unit); }

YamlFields YamlFields::map(const std::string& name, std::string what) {
  return YamlFields(file_, field(name), std::move(what));
}

std::vector<YamlFields> YamlFields::maps(const std::string& name, const std::string& what) {
  if (!has(name)) return {};
  const YAML::Node& node = field(name);
  if (!node.IsSequence()) refuse_field(name, "'" + name + "' must be a list");
  std::vector<YamlFields> all;
  for (const YAML::Node& item : node) all.emplace_back(file_, item, what);
  return all;
}

void YamlFields::done() const {
  for (const auto& [name, node] : keys_) {
    if (!asked_.contains(name)) refuse(file_, node.Mark(), what_ + " has no field '" + name + "'");
  }
}

}  // namespace rackproof::simulator
