// Parameters that must lie within bounds, read with a sentence for those that do not.
#pragma once

#include <chrono>
#include <cstdint>

#include "checks/api/check.h"

namespace rackproof {

// In the unit of the declaration. Throw Trouble.
double number_in(const Context&, const char* name, double least, double most);
std::int64_t whole_number_in(const Context&, const char* name, std::int64_t least, std::int64_t most);
std::chrono::nanoseconds time_in(const Context&, const char* name);  // 100 ms to 1 h

}  // namespace rackproof
