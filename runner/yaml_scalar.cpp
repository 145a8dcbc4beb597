// What one node of a YAML tree is, and where within it a character stands.
#include <fmt/format.h>

#include <algorithm>

#include "runner/yaml.h"

namespace rackproof {
namespace {

std::size_t digits(std::string_view& text) {
  const std::size_t begin = text.size();
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') text.remove_prefix(1);
  return begin - text.size();
}

bool take_one_of(std::string_view& text, std::string_view characters) {
  if (text.empty() || characters.find(text.front()) == characters.npos) return false;
  text.remove_prefix(1);
  return true;
}

// YAML 1.2.2, section 10.3.2, without the two that no field takes: infinities and not-a-numbers.
bool is_number(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0o")) {
    return text.size() > 2 && text.find_first_not_of("0123456789abcdefABCDEF", 2) == text.npos;
  }
  take_one_of(text, "+-");
  const std::size_t whole = digits(text);
  const std::size_t fraction = take_one_of(text, ".") ? digits(text) : 0;
  if (whole + fraction == 0) return false;
  if (!take_one_of(text, "eE")) return text.empty();
  take_one_of(text, "+-");
  return digits(text) > 0 && text.empty();
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  const auto found = std::ranges::find_if(entries, [&](const auto& entry) { return entry.first->text == key; });
  return found == entries.end() ? nullptr : found->second;
}

ScalarKind kind_of(const YamlNode& scalar) {
  if (scalar.quoted) return ScalarKind::text;
  if (scalar.text == "true" || scalar.text == "false") return ScalarKind::boolean;
  return is_number(scalar.text) ? ScalarKind::number : ScalarKind::text;
}

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::nothing: return "nothing";
    case YamlNode::Kind::list: return "a list";
    case YamlNode::Kind::map: return "a map";
    case YamlNode::Kind::scalar: break;
  }
  switch (kind_of(node)) {
    case ScalarKind::boolean: return fmt::format("the boolean '{}'", node.text);
    case ScalarKind::number: return fmt::format("the number '{}'", node.text);
    case ScalarKind::text: break;
  }
  return fmt::format("the text '{}'", node.text);
}

Place place_in(const YamlNode& scalar, std::size_t offset) {
  if (scalar.text_column == 0 || offset > scalar.text.size()) return scalar.place;
  const auto before = std::string_view(scalar.text).substr(0, offset);
  const auto characters =
      std::ranges::count_if(before, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return {scalar.place.file, scalar.place.line, scalar.text_column + static_cast<int>(characters)};
}

}  // namespace rackproof
