#include "runner/node_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <unordered_set>

#include "runner/input_error.h"

namespace rackproof {
namespace {

constexpr std::size_t kMostNodes = 200'000;
constexpr std::size_t kLongestNumber = 9;

[[noreturn]] void refuse_set(std::string_view set, std::string_view why) {
  throw InputError(fmt::format("the set of nodes '{}' {}", set, why));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_of_name(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || c == ':';
}

std::size_t number_in(std::string_view set, std::string_view digits) {
  std::size_t number = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || digits.size() > kLongestNumber || code != std::errc{} || end != digits.data() + digits.size()) {
    refuse_set(set, fmt::format("has '{}' where a number must stand", digits));
  }
  return number;
}

// What stands between brackets: "01-16,20", each number with the zeros that its range is written with.
std::vector<std::string> numbers_in(std::string_view set, std::string_view list) {
  std::vector<std::string> numbers;
  while (true) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view range = list.substr(0, comma);
    const std::size_t dash = std::min(range.find('-'), range.size());
    const std::string_view low_text = range.substr(0, dash);
    const std::size_t low = number_in(set, low_text);
    const std::size_t high = dash == range.size() ? low : number_in(set, range.substr(dash + 1));
    if (high < low) refuse_set(set, fmt::format("counts down from {} to {}", low, high));
    if (high - low + numbers.size() >= kMostNodes) refuse_set(set, fmt::format("names more than {} nodes", kMostNodes));
    for (std::size_t n = low; n <= high; ++n) numbers.push_back(fmt::format("{:0{}}", n, low_text.size()));
    if (comma == list.size()) return numbers;
    list.remove_prefix(comma + 1);
  }
}

// One name of the list, which may hold several brackets.
void expand_one(std::string_view set, std::string_view word, const std::string& before, std::vector<std::string>& names) {
  const std::size_t open = word.find('[');
  if (open == word.npos) {
    const std::string name = before + std::string(word);
    if (name.empty()) refuse_set(set, "has an empty name");
    if (!std::ranges::all_of(name, is_of_name)) refuse_set(set, fmt::format("has '{}', which is no name of a node", name));
    if (names.size() >= kMostNodes) refuse_set(set, fmt::format("names more than {} nodes", kMostNodes));
    names.push_back(name);
    return;
  }
  const std::size_t close = word.find(']', open);
  if (close == word.npos) refuse_set(set, "has a '[' without its ']'");
  for (const std::string& number : numbers_in(set, word.substr(open + 1, close - open - 1))) {
    expand_one(set, word.substr(close + 1), before + std::string(word.substr(0, open)) + number, names);
  }
}

// Where the word ends: at the next comma that stands in no brackets.
std::size_t end_of_word(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '[') ++depth;
    if (text[i] == ']') --depth;
    if (text[i] == ',' && depth == 0) return i;
  }
  return text.size();
}

// A name as what stands before and after its last number.
struct Numbered {
  std::string before;
  std::string after;
  std::size_t width = 0;
  auto operator<=>(const Numbered&) const = default;
};

std::optional<std::pair<Numbered, std::size_t>> numbered(const std::string& name) {
  const auto last = std::find_if(name.rbegin(), name.rend(), is_digit);
  if (last == name.rend()) return std::nullopt;
  const auto first = std::find_if_not(last, name.rend(), is_digit);
  const auto begin = static_cast<std::size_t>(first.base() - name.begin());
  const auto end = static_cast<std::size_t>(last.base() - name.begin());
  if (end - begin > kLongestNumber) return std::nullopt;
  std::size_t number = 0;
  std::from_chars(name.data() + begin, name.data() + end, number);
  return std::pair{Numbered{name.substr(0, begin), name.substr(end), end - begin}, number};
}

std::string ranges_of(std::vector<std::size_t>& numbers, std::size_t width) {
  std::ranges::sort(numbers);
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t j = i;
    while (j + 1 < numbers.size() && numbers[j + 1] == numbers[j] + 1) ++j;
    if (!text.empty()) text += ',';
    text += fmt::format("{:0{}}", numbers[i], width);
    if (j > i) text += fmt::format("-{:0{}}", numbers[j], width);
    i = j + 1;
  }
  return text;
}

}  // namespace

std::vector<std::string> expand_nodes(std::string_view set) {
  std::vector<std::string> names;
  for (std::string_view rest = set;;) {
    const std::size_t end = end_of_word(rest);
    expand_one(set, rest.substr(0, end), "", names);
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  std::unordered_set<std::string> seen;
  std::erase_if(names, [&](const std::string& name) { return !seen.insert(name).second; });
  return names;
}

std::string fold_nodes(std::vector<std::string> nodes) {
  std::map<Numbered, std::vector<std::size_t>> by_name;
  std::vector<std::string> words;
  for (const std::string& node : nodes) {
    if (const auto one = numbered(node)) {
      by_name[one->first].push_back(one->second);
    } else {
      words.push_back(node);
    }
  }
  for (auto& [name, numbers] : by_name) {
    const std::string ranges = ranges_of(numbers, name.width);
    const bool is_one = numbers.size() == 1;
    words.push_back(fmt::format("{}{}{}{}{}", name.before, is_one ? "" : "[", ranges, is_one ? "" : "]", name.after));
  }
  std::ranges::sort(words);
  return fmt::format("{}", fmt::join(words, ","));
}

}  // namespace rackproof
