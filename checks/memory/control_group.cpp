#include "checks/memory/control_group.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace rackproof {
namespace {

// The value behind "name " at the start of a line; 0 when absent.
std::int64_t stat_value(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == ' ') {
      return std::strtoll(std::string(line.substr(name.size() + 1)).c_str(), nullptr, 10);
    }
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return 0;
}

// The unified hierarchy is the line "0::/path".
std::string own_group(const SysRoot& root) {
  const std::string text = "\n" + root.text("/proc/self/cgroup").value_or("");
  const std::size_t at = text.find("\n0::");
  if (at == text.npos) return "";
  const std::size_t begin = at + 4;
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

GroupLimits group_limits(const SysRoot& root) {
  GroupLimits limits;
  // A group is bound by its own limits and by those of every group above it.
  for (std::string group = own_group(root); !group.empty();
       group = group == "/" ? "" : group.substr(0, std::max<std::size_t>(group.rfind('/'), 1))) {
    const std::string folder = "/sys/fs/cgroup" + group;
    const auto most = root.integer(folder + "/memory.max");
    const auto used = root.integer(folder + "/memory.current");
    if (most && used) {
      const std::string stat = root.text(folder + "/memory.stat").value_or("");
      const std::int64_t page_cache = stat_value(stat, "file") - stat_value(stat, "shmem");
      const std::int64_t left = std::max<std::int64_t>(0, *most - *used + std::max<std::int64_t>(0, page_cache));
      if (!limits.memory_left || left < *limits.memory_left) {
        limits.memory_left = left;
        limits.memory_group = group;
      }
    }
    double quota = 0;
    double period = 0;
    if (std::sscanf(root.text(folder + "/cpu.max").value_or("max").c_str(), "%lf %lf", &quota, &period) == 2 &&
        period > 0) {
      limits.cpus = std::min(limits.cpus.value_or(quota / period), quota / period);
    }
  }
  return limits;
}

}  // namespace rackproof
