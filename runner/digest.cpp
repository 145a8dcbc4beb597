#include "runner/digest.h"

#include <fmt/format.h>

#include <cstdint>

#include "graphs/event.h"

namespace rackproof {

// FNV-1a: it tells files apart that differ by accident, and nothing more is asked of it.
std::string digest_of(const Recipe& recipe) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&](const std::string& text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  };
  add(recipe.name);
  for (const Step& step : recipe.steps) add(encode(Event{0, "", StepPlanned{step}}));
  return fmt::format("{:016x}", hash);
}

}  // namespace rackproof
