// Reads a YAML map field by field, strictly: a field that is missing, unknown, given twice, or of the wrong kind is an
// error with its place.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rackproof::simulator {

// "FILE:LINE:COLUMN: sentence", as std::runtime_error.
[[noreturn]] void refuse(const std::string& file, const YAML::Mark&, const std::string& sentence);

class YamlFields {
 public:
  // `what` names the map in a sentence: "a GPU".
  YamlFields(const std::string& file, const YAML::Node& map, std::string what);

  bool has(const std::string& name) const;
  std::string text(const std::string& name);
  std::string text_or(const std::string& name, const std::string& otherwise);
  bool flag_or(const std::string& name, bool otherwise);
  std::int64_t integer(const std::string& name, std::int64_t least, std::int64_t most);
  // In the unit given, and above 0.
  double quantity(const std::string& name, std::string_view unit);
  double quantity_or_zero(const std::string& name, std::string_view unit);  // may be 0
  YamlFields map(const std::string& name, std::string what);
  std::vector<YamlFields> maps(const std::string& name, const std::string& what);  // a list of them; missing: none
  std::vector<std::string> names() const;  // of the fields, in the order of the file

  // To be called once everything was asked for: what nobody asked for is unknown.
  void done() const;
  [[noreturn]] void refuse_field(const std::string& name, const std::string& sentence) const;

 private:
  const YAML::Node& field(const std::string& name);
  double amount(const std::string& name, std::string_view unit);

  std::string file_;
  YAML::Node map_;
  std::string what_;
  std::vector<std::pair<std::string, YAML::Node>> keys_;  // the nodes of the keys, for their places
  std::vector<YAML::Node> values_;
  std::set<std::string> asked_;
};

}  // namespace rackproof::simulator
