// Takes the lines of programs and of cabling files apart.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace rackproof {

inline constexpr std::string_view kBlanks = " \t\r";

inline std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

inline std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t first = text.find_first_not_of(separators);
    if (first == text.npos) return words;
    text.remove_prefix(first);
    const std::size_t end = text.find_first_of(separators);
    words.push_back(text.substr(0, end));
    if (end == text.npos) return words;
    text.remove_prefix(end);
  }
}

inline std::vector<std::string_view> words_of(std::string_view text) { return split(text, kBlanks); }
inline std::vector<std::string_view> lines_of(std::string_view text) { return split(text, "\n"); }

// The whole text as a number.
template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number number{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

// A GUID with or without 0x; 0 is none.
inline std::optional<std::uint64_t> guid_in(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  std::uint64_t guid = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), guid, 16);
  if (code != std::errc{} || end != text.data() + text.size() || guid == 0) return std::nullopt;
  return guid;
}

// What stands between the first `open` and the next `close`; nullopt when they are not there.
inline std::optional<std::string_view> between(std::string_view text, std::string_view open, std::string_view close) {
  const std::size_t start = text.find(open);
  if (start == text.npos) return std::nullopt;
  text.remove_prefix(start + open.size());
  const std::size_t end = text.find(close);
  if (end == text.npos) return std::nullopt;
  return text.substr(0, end);
}

}  // namespace rackproof
