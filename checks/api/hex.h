// Bytes as text of hexadecimal digits, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rackproof {

std::string to_hex(std::string_view bytes);
// Nothing, for what is no even number of digits.
std::optional<std::string> from_hex(std::string_view digits);

}  // namespace rackproof
