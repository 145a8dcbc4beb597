// The fields of recipes and limits files: name, form, whether it must be there, what it is for. The parser and the JSON
// Schema both read these tables, so that neither can know a field that the other does not.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graphs/span.h"
#include "runner/yaml.h"

namespace rackproof {

enum class Form {
  text,
  name,        // of a recipe or limits file
  id,          // of a step or layer
  check,       // a check's name
  flag,        // true or false
  time,        // "60 s"
  bytes,       // "8 GiB"
  number,      // a whole number from 1
  span,        // "pairs", "groups of 8"
  within,      // "leaf"
  sentence,    // a limit
  parameters,  // a map of a check's parameters
  record,      // a map with the fields of a table
  by_check,    // a map from a check's name to a list of records
};

enum class Many { one, list, one_or_list };

struct Table;

struct Field {
  std::string_view name;
  Form form;
  Many many;
  bool required;
  const Table* of;  // of a record
  std::string_view help;
};

// Two fields of which one must be there.
struct Either {
  std::string_view one;  // empty: the table has no such pair
  std::string_view other;
  bool both;  // may be
};

struct Table {
  std::string_view name;  // "step"
  std::string_view what;  // "a step", in a sentence
  std::span<const Field> fields;
  Either either{};
};

extern const Table kRecipeTable;
extern const Table kDefaultsTable;
extern const Table kLayerTable;
extern const Table kStepTable;
extern const Table kLimitsTable;
extern const Table kMatchTable;
extern const Table kLimitTable;

// The words that a form takes: a lower-case letter or digit, then more of them or of `also`, kLongestWord at most.
struct Word {
  std::string_view also;
  std::string_view meaning;  // empty: the form is not a word
};
Word word_of(Form);
inline constexpr std::size_t kLongestWord = 64;

// Refuses a node that is not what the table says, in whole and in every part.
void check_record(const YamlNode&, const Table&);

// The items of a field that may be one value or a list; none when the field is not there.
std::vector<const YamlNode*> items_of(const YamlNode& record, std::string_view field);
// The text of a field, or nothing when it is not there.
std::string text_of(const YamlNode& record, std::string_view field);

bool flag_in(const YamlNode&);
std::chrono::milliseconds time_in(const YamlNode&);
std::uint64_t bytes_in(const YamlNode&);
std::int64_t number_in(const YamlNode&);
Span span_in(const YamlNode&);
Span::Within within_in(const YamlNode&);

}  // namespace rackproof
