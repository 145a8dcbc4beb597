#include "graphs/names.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "checks/api/utf8.h"

namespace rackproof {
namespace {

// Longer texts are not misspelt names.
constexpr std::size_t kLongestName = 64;

// How a name sounds: case and the choice of separator are what people get wrong most often.
std::string folded(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (c == '-' || c == '.' || c == ' ') c = '_';
  }
  return text;
}

// Insertions, deletions, substitutions and swaps of neighbours that turn one into the other (optimal string alignment).
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::vector<std::size_t>> cost(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
  for (std::size_t i = 0; i <= from.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= to.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t change = from[i - 1] == to[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[from.size()][to.size()];
}

std::size_t character_length(std::string_view text) { return std::max<std::size_t>(utf8_sequence(text), 1); }

}  // namespace

std::string nearest(std::string_view name, std::span<const std::string> known) {
  if (name.size() < 2 || name.size() > kLongestName) return "";
  const std::string sought = folded(name);
  // One mistake in three letters: "pth" is a path, "cat" is no dog.
  std::size_t least = name.size() / 3 + 1;
  std::string best;
  for (const std::string& candidate : known) {
    if (candidate.size() > kLongestName) continue;
    const std::size_t mistakes = distance(sought, folded(candidate));
    if (mistakes >= least || mistakes >= candidate.size()) continue;
    least = mistakes;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view name, std::span<const std::string> known) {
  const std::string meant = nearest(name, known);
  return meant.empty() ? "" : "; did you mean '" + meant + "'?";
}

bool matches_glob(std::string_view glob, std::string_view text) {
  std::size_t g = 0;
  std::size_t t = 0;
  std::size_t after_star = glob.npos;  // where to go on in the glob when the last `*` takes one character more
  std::size_t star_ends = 0;           // in the text
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      after_star = ++g;
      star_ends = t;
    } else if (g < glob.size() && glob[g] == '?') {
      ++g;
      t += character_length(text.substr(t));
    } else if (g < glob.size() && glob[g] == text[t]) {
      ++g;
      ++t;
    } else if (after_star != glob.npos) {
      star_ends += character_length(text.substr(star_ends));
      g = after_star;
      t = star_ends;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', g) == glob.npos;
}

}  // namespace rackproof
