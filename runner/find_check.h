// Finds a check that a file names, or says which one was probably meant.
#pragma once

#include <string_view>

#include "runner/catalog.h"
#include "runner/input_error.h"

namespace rackproof {

// Throws InputError when there is no such check.
const Description& find_check(Catalog&, std::string_view name, const Place&);

}  // namespace rackproof
