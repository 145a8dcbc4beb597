// Reads a file that a person wrote, and refuses what cannot be one: too large, not UTF-8, control characters.
#pragma once

#include <string>

#include "runner/input_error.h"

namespace rackproof {

// The file's text without a byte order mark. `asked_from` is where the file is named (an include), or a place without a
// line for the command line. Throws InputError.
std::string read_text_file(const std::string& file, const Place& asked_from);

// Throws InputError at the first byte that no YAML text holds.
void check_text(std::string_view file, std::string_view text);

}  // namespace rackproof
