#include "runner/find_check.h"

#include <fmt/format.h>

#include "graphs/names.h"

namespace rackproof {

const Description& find_check(Catalog& catalog, std::string_view name, const Place& place) {
  if (const Description* found = catalog.find(name); found != nullptr) return *found;
  refuse(place, fmt::format("there is no check '{}'{}", name, did_you_mean(name, catalog.names())));
}

}  // namespace rackproof
