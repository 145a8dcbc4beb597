// How names are compared: what a misspelt one was meant to be, and which texts a glob stands for.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace rackproof {

// The known name that `name` was probably meant to be; empty when none is near.
std::string nearest(std::string_view name, std::span<const std::string> known);

// The end of a sentence about an unknown name: "; did you mean 'busbw'?", or nothing when none is near.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

// `*` stands for any text, `?` for one character; nothing else is special.
bool matches_glob(std::string_view glob, std::string_view text);

}  // namespace rackproof
