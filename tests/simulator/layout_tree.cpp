#include "tests/simulator/layout_tree.h"

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace rackproof::simulator {

namespace fs = std::filesystem;

void LayoutTree::make(const fs::path& folder) {
  if (made_.contains(folder)) return;
  fs::create_directories(folder);
  made_.insert(folder);
}

fs::path LayoutTree::at(std::string_view path) {
  fs::path place = root_ / fs::path(path).relative_path();
  make(place.parent_path());
  return place;
}

void LayoutTree::file(std::string_view path, std::string_view text) {
  const fs::path place = at(path);
  if (!(std::ofstream(place) << text << '\n' << std::flush)) {
    throw std::runtime_error(place.string() + ": cannot be written");
  }
}

void LayoutTree::link(std::string_view path, std::string_view target) { fs::create_symlink(target, at(path)); }

void LayoutTree::folder(std::string_view path) { make(at(path)); }

std::string cpu_mask(int first, int count, int all) {
  std::vector<std::uint32_t> groups(static_cast<std::size_t>((all + 31) / 32), 0);
  for (int cpu = first; cpu < first + count; ++cpu) groups.at(static_cast<std::size_t>(cpu / 32)) |= 1u << (cpu % 32);
  std::string text;
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "%s%08x", text.empty() ? "" : ",", *group);
    text += digits;
  }
  return text;
}

std::string cpu_list(int first, int count) {
  if (count == 1) return std::to_string(first);
  return std::to_string(first) + "-" + std::to_string(first + count - 1);
}

}  // namespace rackproof::simulator
