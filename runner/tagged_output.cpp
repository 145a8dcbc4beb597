#include "runner/tagged_output.h"

#include <utility>

namespace rackproof {
namespace {

constexpr std::string_view kMark = "<stdout>:";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Tag {
  std::size_t begin = std::string_view::npos;
  std::size_t end = 0;  // behind its mark
};

// The next "[12345,1]<stdout>:".
Tag next_tag(std::string_view text) {
  for (std::size_t mark = text.find(kMark); mark != text.npos; mark = text.find(kMark, mark + 1)) {
    if (mark == 0 || text[mark - 1] != ']') continue;
    std::size_t at = mark - 1;
    const std::size_t close = at;
    while (at > 0 && is_digit(text[at - 1])) --at;
    if (at == close || at == 0 || text[at - 1] != ',') continue;
    const std::size_t comma = --at;
    while (at > 0 && is_digit(text[at - 1])) --at;
    if (at == comma || at == 0 || text[at - 1] != '[') continue;
    return {at - 1, mark + kMark.size()};
  }
  return {};
}

}  // namespace

std::string TaggedOutput::take(std::string_view line) {
  for (Tag tag = next_tag(line); tag.begin != line.npos; tag = next_tag(line)) {
    partial_[speaks_] += line.substr(0, tag.begin);
    speaks_ = line.substr(tag.begin, tag.end - tag.begin);
    line.remove_prefix(tag.end);
  }
  std::string& whole = partial_[speaks_];
  whole += line;
  return std::exchange(whole, {});
}

}  // namespace rackproof
