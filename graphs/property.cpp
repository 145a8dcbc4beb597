#include "graphs/property.h"

#include <cstring>
#include <stdexcept>

namespace rackproof {

std::string_view TextPool::keep(std::string_view text) {
  if (text.empty()) return "";
  char* place = static_cast<char*>(memory_.allocate(text.size(), 1));
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

TextPool::Name TextPool::name(std::string_view text) {
  if (const auto found = index_.find(text); found != index_.end()) return found->second;
  if (names_.size() > UINT16_MAX) throw std::length_error("a graph with more than 65536 different property names");
  const auto number = static_cast<Name>(names_.size());
  names_.emplace_back(text);
  index_.emplace(names_.back(), number);
  return number;
}

}  // namespace rackproof
