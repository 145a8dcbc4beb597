#include "checks/memory/caches.h"

#include <charconv>
#include <map>
#include <string>
#include <utility>

namespace rackproof {

std::int64_t parse_cache_size(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || number < 0) return 0;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  if (suffix.empty()) return number;
  if (suffix == "K") return number << 10;
  if (suffix == "M") return number << 20;
  if (suffix == "G") return number << 30;
  return 0;
}

std::vector<Cache> last_level_caches(const SysRoot& root, const std::vector<int>& cpus) {
  std::vector<Cache> caches;
  std::map<std::pair<std::int64_t, std::string>, std::size_t> known;  // (level, who shares it) → place in `caches`
  for (const int cpu : cpus) {
    const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache";
    std::int64_t last_level = 0;
    std::int64_t bytes = 0;
    std::string shared_by;
    for (const std::string& name : root.list(folder)) {
      const std::string index = folder + "/" + name;
      const std::int64_t level = root.integer(index + "/level").value_or(0);
      const std::int64_t size = parse_cache_size(root.text(index + "/size").value_or(""));
      if (root.text(index + "/type") == "Instruction" || size == 0 || level <= last_level) continue;
      last_level = level;
      bytes = size;
      shared_by = root.text(index + "/shared_cpu_list").value_or(std::to_string(cpu));
    }
    if (bytes == 0) continue;
    const auto [place, is_new] = known.try_emplace({last_level, shared_by}, caches.size());
    if (is_new) caches.push_back(Cache{.bytes = bytes, .cpus = {}});
    caches[place->second].cpus.push_back(cpu);
  }
  return caches;
}

}  // namespace rackproof
