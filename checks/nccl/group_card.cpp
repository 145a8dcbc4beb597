#include "checks/nccl/group_card.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

// Ids end in zeros for the most part, and a card has 64 KiB.
std::string hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  bytes = bytes.substr(0, bytes.find_last_not_of('\0') + 1);
  std::string text;
  for (const char one : bytes) {
    const auto byte = static_cast<unsigned char>(one);
    text += {kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text;
}

std::string bytes_of(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned int byte = 0;
    const char* const end = text.data() + std::min(i + 2, text.size());
    const auto [at, code] = std::from_chars(text.data() + i, end, byte, 16);
    if (code != std::errc{} || at != end || text.size() % 2 != 0) throw Trouble{"an id on a card is no id"};
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

std::string to_text(const GroupCard& card) {
  if (!card.cannot.empty()) {
    std::string why = card.cannot.substr(0, 1000);
    for (char& one : why) one = one == '\n' ? ' ' : one;
    return "cannot " + why + "\n";
  }
  std::string text = "gpus " + std::to_string(card.gpus) + "\n";
  if (!card.place.empty()) text += "place " + card.place + "\n";
  for (const auto& [round, id] : card.ids) text += "id " + std::to_string(round) + " " + hex(id) + "\n";
  return text;
}

GroupCard parse_group_card(std::string_view text) {
  GroupCard card;
  std::istringstream lines{std::string(text)};
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string word;
    words >> word;
    if (word == "cannot") {
      card.cannot = line.size() > 7 ? line.substr(7) : "it does not say why";
    } else if (word == "place") {
      card.place = line.size() > 6 ? line.substr(6) : "";
    } else if (word == "gpus") {
      words >> card.gpus;
    } else if (word == "id") {
      std::size_t round = 0;
      std::string id;
      words >> round >> id;
      card.ids[round] = bytes_of(id);
    }
    if (!words && word != "cannot") throw Trouble{"no card of this check: '" + line + "'"};
  }
  if (card.cannot.empty() && card.gpus < 1) throw Trouble{"no card of this check"};
  return card;
}

}  // namespace rackproof
