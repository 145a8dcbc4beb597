// The seven things a trial can come to, in the order in which the greatest one is a run's own outcome.
#pragma once

#include <optional>
#include <string_view>

namespace rackproof {

enum class Outcome { skip, info, pass, warn, blocked, error, fail };

std::string_view to_text(Outcome);
std::optional<Outcome> outcome_from(std::string_view text);

// Whether a trial that needs this one may start. Info and skip let it: nothing was found wrong.
constexpr bool lets_others_start(Outcome outcome) { return outcome <= Outcome::warn; }

}  // namespace rackproof
