#include "graphs/outcome.h"

#include <algorithm>
#include <array>

namespace rackproof {
namespace {

constexpr std::array<std::string_view, 7> kTexts{"skip", "info", "pass", "warn", "blocked", "error", "fail"};

}  // namespace

std::string_view to_text(Outcome outcome) { return kTexts[static_cast<std::size_t>(outcome)]; }

std::optional<Outcome> outcome_from(std::string_view text) {
  const auto* found = std::ranges::find(kTexts, text);
  if (found == kTexts.end()) return std::nullopt;
  return static_cast<Outcome>(found - kTexts.begin());
}

}  // namespace rackproof
