// Settings of a library that a check leaves to the person who starts it, and must tell: what was measured depends on them.
#pragma once

#include <string>
#include <string_view>

namespace rackproof {

// The variables of this process's environment whose names begin with `prefix`, sorted: "NCCL_ALGO=Ring, NCCL_DEBUG=INFO".
std::string variables_beginning_with(std::string_view prefix);

}  // namespace rackproof
