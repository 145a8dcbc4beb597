// Splits bytes from anywhere (vendor strings, process output) into valid UTF-8 sequences.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rackproof {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the valid UTF-8 sequence that `text` begins with; 0 when it begins with none. `text` must not be empty.
std::size_t utf8_sequence(std::string_view text);

// `text` with every byte that belongs to no valid sequence replaced by U+FFFD.
std::string repaired_utf8(std::string_view text);

}  // namespace rackproof
