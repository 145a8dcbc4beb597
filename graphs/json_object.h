// Members of a JSON object by name and type, with an error in words for whatever does not fit.
#pragma once

#include <fmt/format.h>
#include <simdjson.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rackproof::json {

struct Malformed {
  std::string why;
};

class Object {
 public:
  explicit Object(simdjson::dom::object object) : object_(object) {}

  bool has(std::string_view name) const { return object_[name].error() == simdjson::SUCCESS; }

  std::string_view view(std::string_view name) const {
    std::string_view text;
    if (object_[name].get(text) != simdjson::SUCCESS) throw Malformed{fmt::format("'{}' is missing, or is no text", name)};
    return text;
  }
  std::string text(std::string_view name) const { return std::string(view(name)); }
  std::string text_or(std::string_view name, std::string_view otherwise) const {
    return has(name) ? text(name) : std::string(otherwise);
  }

  std::int64_t integer(std::string_view name) const {
    std::int64_t number = 0;
    if (object_[name].get(number) != simdjson::SUCCESS) {
      throw Malformed{fmt::format("'{}' is missing, or is no integer", name)};
    }
    return number;
  }
  std::int64_t integer_or(std::string_view name, std::int64_t otherwise) const {
    return has(name) ? integer(name) : otherwise;
  }

  // null stands for NaN: JSON has no word for it.
  double number_or_null(std::string_view name) const {
    simdjson::dom::element element;
    if (object_[name].get(element) != simdjson::SUCCESS) throw Malformed{fmt::format("'{}' is missing", name)};
    if (element.is_null()) return std::numeric_limits<double>::quiet_NaN();
    double number = 0;
    if (element.get(number) != simdjson::SUCCESS) throw Malformed{fmt::format("'{}' is no number", name)};
    return number;
  }

  bool boolean(std::string_view name) const {
    bool yes = false;
    if (object_[name].get(yes) != simdjson::SUCCESS) {
      throw Malformed{fmt::format("'{}' is missing, or is neither true nor false", name)};
    }
    return yes;
  }

  std::optional<Object> object(std::string_view name) const {
    if (!has(name)) return std::nullopt;
    return required_object(name);
  }
  Object required_object(std::string_view name) const {
    simdjson::dom::object inner;
    if (object_[name].get(inner) != simdjson::SUCCESS) {
      throw Malformed{fmt::format("'{}' is missing, or is no object", name)};
    }
    return Object(inner);
  }

  // Calls back for every member of the object `name`; not at all when it is absent.
  template <class Visitor>
  void each_member(std::string_view name, Visitor visit) const {
    if (!has(name)) return;
    for (const auto field : required_object(name).object_) visit(field.key, field.value);
  }
  template <class Visitor>
  void each_object(std::string_view name, Visitor visit) const {
    for (const simdjson::dom::element element : array(name)) {
      simdjson::dom::object inner;
      if (element.get(inner) != simdjson::SUCCESS) throw Malformed{fmt::format("'{}' holds what is no object", name)};
      visit(Object(inner));
    }
  }
  std::vector<std::string> texts(std::string_view name) const {
    std::vector<std::string> all;
    for (const simdjson::dom::element element : array(name)) {
      std::string_view text;
      if (element.get(text) != simdjson::SUCCESS) throw Malformed{fmt::format("'{}' holds what is no text", name)};
      all.emplace_back(text);
    }
    return all;
  }

 private:
  std::vector<simdjson::dom::element> array(std::string_view name) const {
    std::vector<simdjson::dom::element> elements;
    if (!has(name)) return elements;
    simdjson::dom::array inner;
    if (object_[name].get(inner) != simdjson::SUCCESS) throw Malformed{fmt::format("'{}' is no list", name)};
    for (const simdjson::dom::element element : inner) elements.push_back(element);
    return elements;
  }

  simdjson::dom::object object_;
};

// What the parser holds is valid until its next use.
inline Object parse(simdjson::dom::parser& parser, std::string_view line) {
  simdjson::dom::object object;
  const auto error = parser.parse(line.data(), line.size()).get(object);
  if (error == simdjson::INCORRECT_TYPE) throw Malformed{"it is JSON, but no object"};
  if (error != simdjson::SUCCESS) throw Malformed{"it is not JSON"};
  return Object(object);
}

}  // namespace rackproof::json
