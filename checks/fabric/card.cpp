#include "checks/fabric/card.h"

#include <charconv>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

constexpr std::string_view kBegin = "rackproof fabric 1\n";
[[noreturn]] void refuse() { throw Trouble{"a partner's card is not of this version of rackproof"}; }

std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  if (end == std::string_view::npos) refuse();
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

}  // namespace

// After the first line, of each rail: its name, "rdma" or "-", the length of the address, each on a line, and the
// address.
std::string encode_card(const std::vector<RailCard>& rails) {
  std::string card(kBegin);
  for (const RailCard& rail : rails) {
    card += rail.rail + "\n" + (rail.has_rdma ? "rdma" : "-") + "\n" + std::to_string(rail.address.size()) + "\n";
    card += rail.address;
  }
  return card;
}

std::vector<RailCard> decode_card(std::string_view card) {
  if (!card.starts_with(kBegin)) refuse();
  card.remove_prefix(kBegin.size());
  std::vector<RailCard> rails;
  while (!card.empty()) {
    RailCard rail;
    rail.rail = take_line(card);
    rail.has_rdma = take_line(card) == "rdma";
    const std::string_view digits = take_line(card);
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || length > card.size()) refuse();
    rail.address = card.substr(0, length);
    card.remove_prefix(length);
    rails.push_back(std::move(rail));
  }
  return rails;
}

}  // namespace rackproof
