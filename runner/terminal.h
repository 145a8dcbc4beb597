// What the terminal can show: colours, a line that is redrawn, and how wide it is.
#pragma once

#include <string>
#include <string_view>

#include "graphs/outcome.h"

namespace rackproof {

enum class ColourChoice { automatic, always, never };

class Terminal {
 public:
  // For the file descriptor that text goes to. --color wins, then NO_COLOR, then CLICOLOR_FORCE, then whether it is a
  // terminal.
  Terminal(int fd, ColourChoice);

  bool is_live() const { return live_; }  // a line can be redrawn
  std::size_t width() const;
  std::string coloured(Outcome, std::string_view text) const;
  std::string bold(std::string_view text) const;
  std::string dim(std::string_view text) const;

 private:
  std::string in(std::string_view code, std::string_view text) const;
  int fd_;
  bool live_ = false;
  bool colour_ = false;
};

// Columns that the text takes, one a code point.
std::size_t columns_of(std::string_view text);
// The text cut to so many columns, with … where it was.
std::string cut_to(std::string_view text, std::size_t columns);
// Control characters and invalid UTF-8 made harmless: what a check says must not steer a terminal.
std::string harmless(std::string_view text);

}  // namespace rackproof
