#include "checks/api/environment.h"

#include <unistd.h>

#include <algorithm>
#include <vector>

namespace rackproof {

std::string variables_beginning_with(std::string_view prefix) {
  std::vector<std::string_view> found;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (std::string_view(*variable).starts_with(prefix)) found.emplace_back(*variable);
  }
  std::ranges::sort(found);
  std::string all;
  for (const std::string_view one : found) all += (all.empty() ? "" : ", ") + std::string(one);
  return all;
}

}  // namespace rackproof
