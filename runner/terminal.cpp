#include "runner/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "checks/api/utf8.h"

namespace rackproof {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::string_view code_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass: return "32";
    case Outcome::warn: return "33";
    case Outcome::error: return "35";
    case Outcome::fail: return "1;31";
    case Outcome::info: return "36";
    case Outcome::skip:
    case Outcome::blocked: return "2";
  }
  return "0";
}

}  // namespace

Terminal::Terminal(int fd, ColourChoice choice) : fd_(fd) {
  const bool is_terminal = ::isatty(fd) == 1;
  const std::string_view term = variable("TERM");
  live_ = is_terminal && !term.empty() && term != "dumb";
  if (choice != ColourChoice::automatic) {
    colour_ = choice == ColourChoice::always;
  } else if (!variable("NO_COLOR").empty()) {
    colour_ = false;
  } else if (const auto force = variable("CLICOLOR_FORCE"); !force.empty() && force != "0") {
    colour_ = true;
  } else {
    colour_ = live_;
  }
}

std::size_t Terminal::width() const {
  constexpr std::size_t kUsual = 80;
  winsize size{};
  if (::ioctl(fd_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const std::string_view columns = variable("COLUMNS");
  std::size_t width = 0;
  std::from_chars(columns.data(), columns.data() + columns.size(), width);
  return width > 20 ? width : kUsual;
}

std::string Terminal::in(std::string_view code, std::string_view text) const {
  if (!colour_) return std::string(text);
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::string Terminal::coloured(Outcome outcome, std::string_view text) const { return in(code_of(outcome), text); }
std::string Terminal::bold(std::string_view text) const { return in("1", text); }
std::string Terminal::dim(std::string_view text) const { return in("2", text); }

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string cut_to(std::string_view text, std::size_t columns) {
  if (columns_of(text) <= columns) return std::string(text);
  std::size_t kept = 0;
  for (std::size_t seen = 0; kept < text.size() && seen + 1 < columns; ++seen) kept += utf8_sequence(text.substr(kept));
  return std::string(text.substr(0, kept)) + "…";
}

std::string harmless(std::string_view text) {
  std::string out;
  const std::string valid = repaired_utf8(text);
  for (std::size_t i = 0; i < valid.size();) {
    const std::size_t length = utf8_sequence(std::string_view(valid).substr(i));
    const auto byte = static_cast<unsigned char>(valid[i]);
    // C0, DEL, and the C1 range U+0080 … U+009F, which some terminals obey too.
    const bool is_c1 = length == 2 && byte == 0xC2 && static_cast<unsigned char>(valid[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7f || is_c1) {
      out += ' ';
    } else {
      out.append(valid, i, length);
    }
    i += length;
  }
  return out;
}

}  // namespace rackproof
