#include "checks/memory/cpus.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <set>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

constexpr int kMostCpus = 1 << 16;

// Takes a number off the front; false when there is none.
bool take_number(std::string_view& text, int& number) {
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || number < 0 || number >= kMostCpus) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::vector<int> parse_cpu_list(std::string_view text) {
  std::vector<int> cpus;
  while (!text.empty()) {
    int first = 0;
    if (!take_number(text, first)) return {};
    int last = first;
    if (text.starts_with('-')) {
      text.remove_prefix(1);
      if (!take_number(text, last) || last < first) return {};
    }
    for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
    if (text.empty()) break;
    if (!text.starts_with(',') || text.size() == 1) return {};
    text.remove_prefix(1);
  }
  return cpus;
}

std::string to_cpu_list(const std::vector<int>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += std::to_string(cpus[i]);
    if (last > i) text += '-' + std::to_string(cpus[last]);
    i = last + 1;
  }
  return text;
}

std::vector<int> allowed_cpus() {
  // The kernel refuses a mask shorter than its own, whose length it does not tell.
  for (int bits = 1024; bits <= kMostCpus; bits *= 2) {
    std::vector<cpu_set_t> mask(CPU_ALLOC_SIZE(bits) / sizeof(cpu_set_t));
    const std::size_t size = mask.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, size, mask.data()) == 0) {
      std::vector<int> cpus;
      for (int cpu = 0; cpu < bits; ++cpu) {
        if (CPU_ISSET_S(static_cast<std::size_t>(cpu), size, mask.data())) cpus.push_back(cpu);
      }
      return cpus;
    }
    if (errno != EINVAL) break;
  }
  throw Trouble{std::string("the CPUs this process may use are not known: ") + std::strerror(errno)};
}

std::vector<int> one_per_core(const SysRoot& root, const std::vector<int>& allowed) {
  std::vector<int> chosen;
  std::set<int> taken;  // with the siblings of what was chosen
  for (const int cpu : allowed) {
    if (taken.contains(cpu)) continue;
    chosen.push_back(cpu);
    const auto siblings =
        root.text("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
    for (const int sibling : parse_cpu_list(siblings.value_or(""))) taken.insert(sibling);
  }
  return chosen;
}

std::string nodes_left_out(const SysRoot& root, const std::vector<int>& cpus) {
  const std::string nodes = "/sys/devices/system/node/";
  // Kernels before 4.14 do not tell which nodes have memory.
  const auto with_memory = parse_cpu_list(root.text(nodes + "has_memory").value_or(root.text(nodes + "online").value_or("")));
  std::vector<int> left_out;
  for (const int node : with_memory) {
    const std::vector<int> own =
        parse_cpu_list(root.text(nodes + "node" + std::to_string(node) + "/cpulist").value_or(""));
    if (!own.empty() && std::ranges::find_first_of(own, cpus) == own.end()) left_out.push_back(node);
  }
  if (left_out.empty()) return "";
  return "this process may use CPU " + to_cpu_list(cpus) + " alone, and so NUMA node " + to_cpu_list(left_out) +
         " is left out";
}

}  // namespace rackproof
