#include "runner/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "checks/api/quantity.h"
#include "graphs/names.h"

namespace rackproof {
namespace {

struct Given {
  std::string_view text;
  bool is_text;  // in quotes
  Place place;
};

const ParameterDescription& find_parameter(const Description& check, std::string_view name, const Place& place) {
  const auto found = std::ranges::find(check.parameters, name, &ParameterDescription::name);
  if (found != check.parameters.end()) return *found;
  std::vector<std::string> known;
  for (const ParameterDescription& parameter : check.parameters) known.push_back(parameter.name);
  std::string meant = did_you_mean(name, known);
  if (meant.empty()) meant = known.empty() ? ": it has none" : fmt::format(": there is {}", fmt::join(known, ", "));
  refuse(place, fmt::format("{} has no parameter '{}'{}", check.name, name, meant));
}

std::string integer_text(const ParameterDescription& parameter, const Given& given) {
  if (given.is_text) {
    refuse(given.place, fmt::format("'{0}' is an integer: write {1} without quotes", parameter.name, given.text));
  }
  const std::string_view digits = given.text.substr(given.text.starts_with('-') ? 1 : 0);
  if (digits.size() > 1 && digits.starts_with('0') && digits.find_first_not_of("01234567") == digits.npos) {
    refuse(given.place, fmt::format("'{}' looks octal: an integer is written without leading zeros", given.text));
  }
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(given.text.data(), given.text.data() + given.text.size(), number);
  if (code == std::errc::result_out_of_range) {
    refuse(given.place, fmt::format("'{}' is beyond the integers of 64 bits", given.text));
  }
  if (code != std::errc{} || end != given.text.data() + given.text.size()) {
    refuse(given.place, fmt::format("'{}' is an integer such as 12, not '{}'", parameter.name, given.text));
  }
  return std::to_string(number);
}

std::string quantity_text(const ParameterDescription& parameter, const Given& given) {
  QuantityError error;
  const auto quantity = parse_quantity(given.text, error);
  const Unit* unit = find_unit(parameter.unit.empty() ? "count" : parameter.unit);
  const std::string_view meaning = unit == nullptr ? "a quantity" : to_text(unit->dimension);
  if (!quantity) refuse(given.place, fmt::format("'{}' is {}, and {}", parameter.name, meaning, error.text));
  const std::string number = shortest(quantity->number);
  const bool is_bare = quantity->unit->dimension == Dimension::count;
  if (unit != nullptr && unit->dimension != quantity->unit->dimension) {
    if (is_bare) {
      refuse(given.place, fmt::format("'{}' is {}, '{}' has no unit: write '{} {}'", parameter.name, meaning,
                                      given.text, number, unit->symbol));
    }
    refuse(given.place, fmt::format("'{}' is {}, '{}' is {}", parameter.name, meaning, given.text,
                                    to_text(quantity->unit->dimension)));
  }
  return is_bare ? number : fmt::format("{} {}", number, quantity->unit->symbol);
}

std::string boolean_text(const ParameterDescription& parameter, const Given& given) {
  if (!given.is_text && (given.text == "true" || given.text == "false")) return std::string(given.text);
  refuse(given.place, fmt::format("'{}' is true or false, not {}'{}'", parameter.name, given.is_text ? "the text " : "",
                                  given.text));
}

std::string choice_text(const ParameterDescription& parameter, const Given& given) {
  std::vector<std::string> choices;
  std::string_view rest = std::string_view(parameter.type).substr(std::string_view("choice ").size());
  while (true) {
    const std::size_t bar = rest.find('|');
    choices.emplace_back(rest.substr(0, bar));
    if (bar == rest.npos) break;
    rest.remove_prefix(bar + 1);
  }
  if (std::ranges::find(choices, given.text) != choices.end()) return std::string(given.text);
  refuse(given.place, fmt::format("'{}' is one of {}, not '{}'", parameter.name, fmt::join(choices, ", "), given.text));
}

std::string parameter_text(const ParameterDescription& parameter, const Given& given) {
  if (parameter.type == "integer") return integer_text(parameter, given);
  if (parameter.type == "quantity") return quantity_text(parameter, given);
  if (parameter.type == "boolean") return boolean_text(parameter, given);
  if (parameter.type.starts_with("choice ")) return choice_text(parameter, given);
  if (parameter.type == "path" && given.text.empty()) {
    refuse(given.place, fmt::format("'{}' is a path, and this text is empty", parameter.name));
  }
  return std::string(given.text);
}

std::string checked(const Description& check, std::string_view name, const Place& named_at, const Given& given) {
  if (!check.problem.empty()) return std::string(given.text);
  return parameter_text(find_parameter(check, name, named_at), given);
}

void put(Step& step, std::string_view name, std::string text) {
  const auto found = std::ranges::find_if(step.with, [&](const auto& given) { return given.first == name; });
  if (found != step.with.end()) {
    found->second = std::move(text);
  } else {
    step.with.emplace_back(name, std::move(text));
  }
}

}  // namespace

void read_parameters(const YamlNode& with, const Description& check, Step& step) {
  for (const auto& [key, value] : with.entries) {
    const Given given{value->text, value->quoted, value->place};
    step.with.emplace_back(key->text, checked(check, key->text, key->place, given));
  }
}

void set_parameter(const std::string& set, std::vector<Step>& steps, Catalog& catalog) {
  const std::string option = "--set " + set;
  const Place place{option, 0, 0};
  const std::string_view text = set;
  const std::size_t equals = text.find('=');
  const std::size_t dot = text.find('.');
  if (equals == text.npos || dot == text.npos || dot > equals || dot == 0 || dot + 1 == equals) {
    refuse(place, "this must be STEP.PARAMETER=VALUE, such as scratch.size='4 GiB'");
  }
  const std::string_view id = text.substr(0, dot);
  const std::string_view name = text.substr(dot + 1, equals - dot - 1);
  const auto step = std::ranges::find(steps, id, &Step::id);
  if (step == steps.end()) {
    std::vector<std::string> known;
    for (const Step& other : steps) known.push_back(other.id);
    refuse(place, fmt::format("the recipe has no step '{}'{}", id, did_you_mean(id, known)));
  }
  const Description& check = *catalog.find(step->check);
  put(*step, name, checked(check, name, place, Given{text.substr(equals + 1), false, place}));
}

void check_given(const Step& step, const Description& check, const Place& place) {
  if (!check.problem.empty()) return;
  for (const ParameterDescription& parameter : check.parameters) {
    const bool given = std::ranges::any_of(step.with, [&](const auto& with) { return with.first == parameter.name; });
    if (given || parameter.has_default) continue;
    refuse(place, fmt::format("{} needs the parameter '{}'{}{}", check.name, parameter.name,
                              parameter.help.empty() ? "" : ": ", parameter.help));
  }
}

}  // namespace rackproof
