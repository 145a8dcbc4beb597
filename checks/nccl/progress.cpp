#include "checks/nccl/progress.h"

#include <algorithm>

namespace rackproof {

std::vector<std::size_t> ranks_behind(std::span<const RankProgress> all) {
  std::vector<std::size_t> behind;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].is_lost) behind.push_back(i);
  }
  if (!behind.empty()) return behind;
  int furthest = 0;
  for (const RankProgress& one : all) furthest = std::max(furthest, one.entered + one.left);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].entered + all[i].left < furthest) behind.push_back(i);
  }
  return behind;
}

std::string to_text(const RankProgress& one) {
  if (one.is_lost) return "its GPU answers no more";
  if (one.entered == 0) return "it has entered no iteration";
  if (one.entered > one.left) return "it has entered iteration " + std::to_string(one.entered) + " and not left it";
  return "it has left iteration " + std::to_string(one.left) + " and entered no other";
}

std::vector<std::size_t> ranks_to_blame(std::span<const WrongOutput> wrong, std::size_t ranks) {
  std::vector<std::size_t> blamed;
  if (wrong.empty()) return blamed;
  const WrongOutput& first = wrong.front();
  const bool is_common = ranks > 1 && wrong.size() == ranks;
  if (is_common && std::ranges::all_of(wrong, [&](const WrongOutput& one) { return one.source == first.source; })) {
    return {first.source};
  }
  for (const WrongOutput& one : wrong) blamed.push_back(one.rank);
  return blamed;
}

}  // namespace rackproof
