// What the user can correct before hardware is touched; caught once, in main, which exits 2.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace rackproof {

// The text starts "file:line:column: " where a place is known, and is one sentence on one line.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Place {
  std::string_view file;  // as the user gave it; or the option that the text comes from
  int line = 0;           // from 1; 0: no place within
  int column = 0;         // from 1, in characters
};

// "recipes/node.yaml:14:13"
std::string to_text(const Place&);

// Throws InputError. Control characters in the sentence are shown as \xNN, and an endless one is cut.
[[noreturn]] void refuse(const Place&, std::string_view sentence);

}  // namespace rackproof
