// What a check says to rackproof-cards over a connection: lines "put HEX" and "get RANK MILLISECONDS".
#pragma once

#include <string>
#include <string_view>

#include "checks/ranks/card_table.h"

namespace rackproof {

// The answer to one line, without its newline: "ok", "card HEX", "none WHY", or "error WHY".
std::string answer_to(std::string_view line, CardTable&);

// Answers until the other side closes, or writes what nobody would; closes `connection`.
void converse(int connection, CardTable&);

}  // namespace rackproof
