#include "runner/input_error.h"

#include <fmt/format.h>

#include "checks/api/utf8.h"

namespace rackproof {
namespace {

constexpr std::size_t kLongestSentence = 1000;  // bytes; what a user quotes by mistake can be a whole file

std::string on_one_line(std::string_view sentence) {
  std::string shown;
  while (!sentence.empty()) {
    if (shown.size() >= kLongestSentence) return shown + " ...";
    const auto first = static_cast<unsigned char>(sentence.front());
    const std::size_t length = utf8_sequence(sentence);
    if (length == 0 || first < 0x20 || first == 0x7F) {
      shown += fmt::format("\\x{:02x}", first);
      sentence.remove_prefix(1);
    } else {
      shown += sentence.substr(0, length);
      sentence.remove_prefix(length);
    }
  }
  return shown;
}

}  // namespace

std::string to_text(const Place& place) {
  if (place.line == 0) return std::string(place.file);
  return fmt::format("{}:{}:{}", place.file, place.line, place.column);
}

void refuse(const Place& place, std::string_view sentence) {
  throw InputError(on_one_line(to_text(place)) + ": " + on_one_line(sentence));
}

}  // namespace rackproof
