#include "runner/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "checks/api/quantity.h"
#include "graphs/names.h"

namespace rackproof {
namespace {

using Kind = YamlNode::Kind;

constexpr double kLongestTime = 365 * 24 * 3600.0;  // s; what is longer was not meant
constexpr std::int64_t kMostRounds = 100'000;
constexpr double kMostBytes = 9.2e18;               // below 2^63

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\n") == text.npos; }

void check_text_node(const YamlNode& node, std::string_view name, std::string_view what = "a text") {
  if (node.kind != Kind::scalar) refuse(node.place, fmt::format("'{}' must be {}, not {}", name, what, describe(node)));
  if (kind_of(node) != ScalarKind::text) {
    const std::string_view hint = what == "a text" ? ", which needs quotes to be one" : "";
    refuse(node.place, fmt::format("'{}' must be {}, not {}{}", name, what, describe(node), hint));
  }
  if (is_blank(node.text)) refuse(node.place, fmt::format("'{}' is empty", name));
}

void check_word(const YamlNode& node, Form form) {
  const Word word = word_of(form);
  const auto is_alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool fits = is_alphanumeric(node.text.front()) && std::ranges::all_of(node.text, [&](char c) {
                      return is_alphanumeric(c) || word.also.find(c) != word.also.npos;
                    });
  if (!fits) refuse(node.place, fmt::format("'{}' is not {}", node.text, word.meaning));
  if (node.text.size() > kLongestWord) {
    refuse(node.place, fmt::format("'{}' is longer than {} characters", node.text, kLongestWord));
  }
}

void check_parameters(const YamlNode& node, std::string_view name) {
  if (node.kind != Kind::map) {
    refuse(node.place, fmt::format("'{}' must be a map of parameters, not {}", name, describe(node)));
  }
  for (const auto& [key, value] : node.entries) {
    if (value->kind == Kind::scalar) continue;
    refuse(value->place, fmt::format("the parameter '{}' must be one value, not {}", key->text, describe(*value)));
  }
}

void check_by_check(const YamlNode& node, const Field& field) {
  if (node.kind != Kind::map) {
    refuse(node.place, fmt::format("'{}' must be a map of checks, not {}", field.name, describe(node)));
  }
  for (const auto& [key, value] : node.entries) {
    if (key->text.empty()) refuse(key->place, "the name of a check is empty");
    check_word(*key, Form::check);
    if (value->kind != Kind::list) {
      refuse(value->place, fmt::format("'{}' must have a list of limits, not {}", key->text, describe(*value)));
    }
    for (const YamlNode* item : value->items) check_record(*item, *field.of);
  }
}

void check_one(const YamlNode& node, const Field& field) {
  switch (field.form) {
    case Form::text: return check_text_node(node, field.name);
    case Form::sentence: return check_text_node(node, field.name, "a sentence such as 'h2d >= 48 GB/s'");
    case Form::name:
    case Form::id:
    case Form::check: check_text_node(node, field.name); return check_word(node, field.form);
    case Form::flag: flag_in(node); return;
    case Form::time: time_in(node); return;
    case Form::bytes: bytes_in(node); return;
    case Form::number: number_in(node); return;
    case Form::span: span_in(node); return;
    case Form::within: within_in(node); return;
    case Form::parameters: return check_parameters(node, field.name);
    case Form::record: return check_record(node, *field.of);
    case Form::by_check: return check_by_check(node, field);
  }
}

void check_field(const YamlNode& node, const Field& field) {
  if (node.kind == Kind::nothing) refuse(node.place, fmt::format("'{}' has no value", field.name));
  if (node.kind == Kind::list && field.many != Many::one) {
    for (const YamlNode* item : node.items) check_one(*item, field);
  } else if (field.many == Many::list) {
    refuse(node.place, fmt::format("'{}' must be a list, not {}", field.name, describe(node)));
  } else {
    check_one(node, field);
  }
}

[[noreturn]] void refuse_key(const YamlNode& key, const Table& table) {
  std::vector<std::string> known;
  for (const Field& field : table.fields) known.emplace_back(field.name);
  std::string meant = did_you_mean(key.text, known);
  if (meant.empty()) meant = fmt::format(": there is {}", fmt::join(known, ", "));
  refuse(key.place, fmt::format("unknown key '{}' in {}{}", key.text, table.what, meant));
}

// A quantity of one dimension and above 0, in its base unit.
double amount_in(const YamlNode& node, Dimension dimension, std::string_view example) {
  if (node.kind != Kind::scalar) {
    refuse(node.place, fmt::format("'{}' would be right here, not {}", example, describe(node)));
  }
  QuantityError error;
  const auto quantity = parse_quantity(node.text, error);
  if (!quantity) refuse(node.place, fmt::format("{}; '{}' would be right", error.text, example));
  if (quantity->unit->dimension == Dimension::count) {
    const std::string_view unit = example.substr(example.find(' ') + 1);
    refuse(node.place, fmt::format("'{0}' has no unit: write '{0} {1}'", node.text, unit));
  }
  if (quantity->unit->dimension != dimension) {
    refuse(node.place, fmt::format("'{}' is {}, not {} such as '{}'", node.text, to_text(quantity->unit->dimension),
                                   to_text(dimension), example));
  }
  if (quantity->number <= 0) refuse(node.place, fmt::format("'{}' is not above 0", node.text));
  return quantity->base();
}

}  // namespace

void check_record(const YamlNode& node, const Table& table) {
  if (node.kind != Kind::map) {
    refuse(node.place, fmt::format("{} must be a map of its fields, not {}", table.what, describe(node)));
  }
  for (const auto& [key, value] : node.entries) {
    const auto field = std::ranges::find(table.fields, std::string_view(key->text), &Field::name);
    if (field == table.fields.end()) refuse_key(*key, table);
    check_field(*value, *field);
  }
  for (const Field& field : table.fields) {
    if (!field.required || node.find(field.name) != nullptr) continue;
    refuse(node.place, fmt::format("'{}' is missing in {}", field.name, table.what));
  }
  const auto& [one, other, both] = table.either;
  if (one.empty()) return;
  const bool has_one = node.find(one) != nullptr;
  const bool has_other = node.find(other) != nullptr;
  if (!has_one && !has_other) refuse(node.place, fmt::format("{} needs '{}' or '{}'", table.what, one, other));
  if (has_one && has_other && !both) {
    refuse(node.place, fmt::format("{} has both '{}' and '{}': write two", table.what, one, other));
  }
}

std::vector<const YamlNode*> items_of(const YamlNode& record, std::string_view field) {
  const YamlNode* node = record.find(field);
  if (node == nullptr) return {};
  if (node->kind == Kind::list) return node->items;
  return {node};
}

std::string text_of(const YamlNode& record, std::string_view field) {
  const YamlNode* node = record.find(field);
  return node == nullptr ? "" : node->text;
}

bool flag_in(const YamlNode& node) {
  if (node.kind != Kind::scalar || kind_of(node) != ScalarKind::boolean) {
    refuse(node.place, fmt::format("{} is not a boolean: write true or false", describe(node)));
  }
  return node.text == "true";
}

std::chrono::milliseconds time_in(const YamlNode& node) {
  const double seconds = amount_in(node, Dimension::time, "60 s");
  if (seconds > kLongestTime) refuse(node.place, fmt::format("'{}' is longer than a year", node.text));
  return std::chrono::milliseconds(std::max<std::int64_t>(std::llround(seconds * 1000), 1));
}

std::int64_t number_in(const YamlNode& node) {
  std::int64_t number = 0;
  const char* const end = node.text.data() + node.text.size();
  const bool is_number = node.kind == Kind::scalar && !node.quoted;
  if (!is_number || std::from_chars(node.text.data(), end, number) != std::from_chars_result{end, std::errc{}} ||
      number < 1 || number > kMostRounds) {
    refuse(node.place, fmt::format("a whole number from 1 to {} would be right here, not {}", kMostRounds, describe(node)));
  }
  return number;
}

Span span_in(const YamlNode& node) {
  const auto span = node.kind == Kind::scalar ? parse_span(node.text) : std::nullopt;
  if (!span) {
    refuse(node.place, fmt::format("a step is run on 'pairs', 'rings', 'groups of 8' (or another number from 2) or 'all', "
                                   "not on {}",
                                   describe(node)));
  }
  return *span;
}

Span::Within within_in(const YamlNode& node) {
  const auto within = node.kind == Kind::scalar ? parse_within(node.text) : std::nullopt;
  if (!within) refuse(node.place, fmt::format("'within' is leaf, rack or any, not {}", describe(node)));
  return *within;
}

std::uint64_t bytes_in(const YamlNode& node) {
  const double bytes = amount_in(node, Dimension::bytes, "8 GiB");
  if (bytes > kMostBytes) refuse(node.place, fmt::format("'{}' is more than any machine has", node.text));
  return std::max<std::uint64_t>(static_cast<std::uint64_t>(bytes), 1);
}

}  // namespace rackproof
