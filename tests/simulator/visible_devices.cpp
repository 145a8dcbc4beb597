#include "tests/simulator/visible_devices.h"

#include <algorithm>
#include <charconv>

namespace rackproof::simulator {
namespace {

constexpr int kNone = -1;

int named_by(const Profile& profile, const std::vector<int>& present, std::string_view word) {
  if (word.starts_with("GPU-")) {
    const auto found = std::ranges::find_if(present, [&](int number) {
      return std::string_view(profile.gpus[static_cast<std::size_t>(number)].uuid).starts_with(word);
    });
    return found == present.end() ? kNone : *found;
  }
  std::size_t index = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), index);
  if (code != std::errc{} || end != word.data() + word.size() || index >= present.size()) return kNone;
  return present[index];
}

}  // namespace

std::vector<int> visible_devices(const Profile& profile, const std::vector<int>& present, std::string_view list) {
  std::vector<int> visible;
  while (true) {
    const std::size_t comma = list.find(',');
    const int number = named_by(profile, present, list.substr(0, comma));
    if (number == kNone) return visible;
    visible.push_back(number);
    if (comma == list.npos) return visible;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace rackproof::simulator
