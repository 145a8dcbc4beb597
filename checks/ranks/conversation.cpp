#include "checks/ranks/conversation.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>

#include "checks/api/hex.h"

namespace rackproof {
namespace {

constexpr std::size_t kLongestLine = (128 << 10) + 16;  // a card of 64 KiB
constexpr std::chrono::milliseconds kLongestWait = std::chrono::hours{1};

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool say(int connection, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

std::string answer_to(std::string_view line, CardTable& table) {
  const std::string_view word = line.substr(0, line.find(' '));
  std::string_view rest = line.substr(std::min(line.size(), word.size() + 1));
  if (word == "put") {
    const auto card = from_hex(rest);
    if (!card) return "error a card is an even number of digits 0-9 and a-f";
    const std::string why = table.put(*card);
    return why.empty() ? "ok" : "error " + why;
  }
  if (word == "get") {
    const std::size_t blank = std::min(rest.find(' '), rest.size());
    const auto rank = number(rest.substr(0, blank));
    rest.remove_prefix(std::min(rest.size(), blank + 1));
    const auto wait = number(rest);
    if (!rank || !wait) return "error the line is: get RANK MILLISECONDS";
    const auto found = table.get(*rank, std::min(std::chrono::milliseconds{*wait}, kLongestWait));
    return found.is_there ? "card " + to_hex(found.card) : "none " + found.why;
  }
  return "error the lines are: put HEX, get RANK MILLISECONDS";
}

void converse(int connection, CardTable& table) {
  std::string text;
  char block[4096];
  bool goes_on = true;
  while (goes_on && text.size() <= kLongestLine) {
    const ssize_t got = ::recv(connection, block, sizeof block, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(block, static_cast<std::size_t>(got));
    for (std::size_t end = text.find('\n'); goes_on && end != text.npos; end = text.find('\n')) {
      goes_on = say(connection, answer_to(std::string_view(text).substr(0, end), table) + "\n");
      text.erase(0, end + 1);
    }
  }
  ::close(connection);
}

}  // namespace rackproof
