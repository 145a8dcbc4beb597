// How far each rank came before a collective stopped, and which of them the others wait for.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace rackproof {

struct RankProgress {
  bool is_lost = false;  // its GPU answers no more
  int entered = 0;       // iterations that its stream came to
  int left = 0;          // and went on from
};

// The ranks that are behind: those whose GPU is lost; else those that came less far than the furthest one. Empty when
// all stand at the same place, so that nobody can be named.
std::vector<std::size_t> ranks_behind(std::span<const RankProgress>);

// "it has entered iteration 5 and not left it".
std::string to_text(const RankProgress&);

// Who is to blame where elements of several ranks' output are wrong.
struct WrongOutput {
  std::size_t rank = 0;
  std::size_t source = 0;  // the rank whose data should be there; `kManySources` for a sum
  std::size_t place = 0;   // first wrong element
};
inline constexpr std::size_t kManySources = static_cast<std::size_t>(-1);

// Of one iteration. Where only some ranks hold wrong data it is theirs. Where all ranks do, it came to all of them from
// the same place: from its source where there is one, else nobody can be named (kManySources).
std::vector<std::size_t> ranks_to_blame(std::span<const WrongOutput>, std::size_t ranks);

}  // namespace rackproof
