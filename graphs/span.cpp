#include "graphs/span.h"

#include <fmt/format.h>

#include <charconv>

namespace rackproof {
namespace {

constexpr std::int64_t kLargestGroup = 100'000;

std::optional<std::int64_t> size_in(std::string_view text) {
  std::int64_t size = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (code != std::errc{} || end != text.data() + text.size() || size < 2 || size > kLargestGroup) return std::nullopt;
  return size;
}

}  // namespace

std::optional<Span> parse_span(std::string_view text) {
  constexpr std::string_view kGroupsOf = "groups of ";
  if (text == "pairs") return Span{};
  // Neighbours to the right, neighbours to the left.
  if (text == "rings") return Span{.of = Span::Of::rings, .rounds = 2};
  if (text == "all") return Span{.of = Span::Of::all, .size = 0, .rounds = 1};
  if (!text.starts_with(kGroupsOf)) return std::nullopt;
  const auto size = size_in(text.substr(kGroupsOf.size()));
  if (!size) return std::nullopt;
  return Span{.of = Span::Of::groups, .size = *size, .rounds = 1};
}

std::string to_text(const Span& span) {
  switch (span.of) {
    case Span::Of::pairs: return "pairs";
    case Span::Of::rings: return "rings";
    case Span::Of::groups: return fmt::format("groups of {}", span.size);
    case Span::Of::all: return "all";
  }
  return "";
}

std::optional<Span::Within> parse_within(std::string_view text) {
  for (const Span::Within within : {Span::Within::leaf, Span::Within::rack, Span::Within::any}) {
    if (to_text(within) == text) return within;
  }
  return std::nullopt;
}

std::string_view to_text(Span::Within within) {
  switch (within) {
    case Span::Within::leaf: return "leaf";
    case Span::Within::rack: return "rack";
    case Span::Within::any: return "any";
  }
  return "";
}

}  // namespace rackproof
