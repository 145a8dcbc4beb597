// Writes one line of JSON, members in the order they are added. A check links this instead of a JSON library, so that a
// trial of a check that does nothing stays about a millisecond.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace rackproof {

class JsonLine {
 public:
  JsonLine() { text_.push_back('{'); }

  void add(std::string_view name, std::string_view text);
  void add(std::string_view name, const char* text) { add(name, std::string_view(text)); }
  void add(std::string_view name, const std::string& text) { add(name, std::string_view(text)); }
  void add_unless_empty(std::string_view name, std::string_view text) {
    if (!text.empty()) add(name, text);
  }
  void add(std::string_view name, double number);  // null when not finite: JSON has no other word
  void add(std::string_view name, std::integral auto number) {
    if constexpr (std::same_as<decltype(number), bool>) {
      add_raw(name, number ? "true" : "false");
    } else {
      add_raw(name, std::to_string(number));
    }
  }
  void add_raw(std::string_view name, std::string_view json);  // `json` must be one valid value

  void open(std::string_view name);        // an object
  void open_array(std::string_view name);  // of texts or objects, by the two below
  void push(std::string_view text);
  void open_element();
  void close();
  void close_array();

  std::string text() &&;

 private:
  void separate();
  void key(std::string_view name);
  std::string text_;
};

// `text` between quotes, control characters escaped and what is not UTF-8 replaced by U+FFFD.
void append_json_text(std::string& out, std::string_view text);

}  // namespace rackproof
