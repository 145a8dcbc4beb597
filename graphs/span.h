// On what a step is run that spans nodes: pairs of them, rings, groups, or all at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rackproof {

// The node that is none: where a step that spans nodes is judged for the paths, the leaves and what all nodes share.
inline constexpr const char* kFabric = "fabric";

struct Span {
  enum class Of {
    pairs,   // two nodes a group; nobody meets another twice while others are left
    rings,   // pairs too, of neighbours in the order of the topology, until each has met both
    groups,  // of `size`
    all,
  };
  enum class Within { leaf, rack, any };  // where the nodes of a group may stand

  Of of = Of::pairs;
  std::int64_t size = 2;    // nodes of a group
  std::int64_t rounds = 5;  // each node is in one group a round
  Within within = Within::any;
  bool operator==(const Span&) const = default;
};

// "pairs", "rings", "groups of 8", "all"; nothing for other texts.
std::optional<Span> parse_span(std::string_view text);
std::string to_text(const Span&);
std::optional<Span::Within> parse_within(std::string_view text);
std::string_view to_text(Span::Within);

}  // namespace rackproof
