#include "checks/api/json_line.h"

#include <cmath>
#include <cstdio>

#include "checks/api/quantity.h"
#include "checks/api/utf8.h"

namespace rackproof {

void append_json_text(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = utf8_sequence(text);
    if (length == 0) {
      out += kReplacement;
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out.push_back('"');
}

void JsonLine::separate() {
  if (text_.back() != '{' && text_.back() != '[') text_.push_back(',');
}

void JsonLine::key(std::string_view name) {
  separate();
  append_json_text(text_, name);
  text_.push_back(':');
}

void JsonLine::add(std::string_view name, std::string_view text) {
  key(name);
  append_json_text(text_, text);
}

void JsonLine::add(std::string_view name, double number) {
  if (!std::isfinite(number)) return add_raw(name, "null");
  // A fraction or exponent keeps a double a double when it is read back.
  std::string digits = shortest(number);
  if (digits.find_first_of(".e") == digits.npos) digits += ".0";
  add_raw(name, digits);
}

void JsonLine::add_raw(std::string_view name, std::string_view json) {
  key(name);
  text_ += json;
}

void JsonLine::open(std::string_view name) {
  key(name);
  text_.push_back('{');
}

void JsonLine::open_array(std::string_view name) {
  key(name);
  text_.push_back('[');
}

void JsonLine::push(std::string_view text) {
  separate();
  append_json_text(text_, text);
}

void JsonLine::open_element() {
  separate();
  text_.push_back('{');
}

void JsonLine::close() { text_.push_back('}'); }

void JsonLine::close_array() { text_.push_back(']'); }

std::string JsonLine::text() && {
  text_.push_back('}');
  return std::move(text_);
}

}  // namespace rackproof
