// Writes files and links below a folder that stands for "/": paths are given as on the real machine.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>

namespace rackproof::simulator {

class LayoutTree {
 public:
  explicit LayoutTree(std::filesystem::path root) : root_(std::move(root)) {}

  // Folders are made as needed; a newline is added, as /sys does. Throws std::runtime_error.
  void file(std::string_view path, std::string_view text);
  // `target` as it is stored, relative to the folder of the link.
  void link(std::string_view path, std::string_view target);
  void folder(std::string_view path);

 private:
  std::filesystem::path at(std::string_view path);
  void make(const std::filesystem::path& folder);

  std::filesystem::path root_;
  std::set<std::filesystem::path> made_;
};

// "ffff,ffffffff": the CPUs from `first` on, as the kernel prints a mask of `all` CPUs.
std::string cpu_mask(int first, int count, int all);
// "48-95", or "48" when there is but one.
std::string cpu_list(int first, int count);

}  // namespace rackproof::simulator
