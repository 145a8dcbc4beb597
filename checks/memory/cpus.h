// Which CPUs measure: those this process may run on, one of each physical core.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checks/api/sysroot.h"

namespace rackproof {

// "0-3,8" → 0 1 2 3 8; empty when the text is no list.
std::vector<int> parse_cpu_list(std::string_view text);
// The other way: 0 1 2 3 8 → "0-3,8". `cpus` must be sorted.
std::string to_cpu_list(const std::vector<int>& cpus);

// The affinity mask, which holds what a cpuset of the control group leaves. Throws Trouble when the kernel does not
// say.
std::vector<int> allowed_cpus();

// The first allowed CPU of each core. A CPU of which the machine says nothing counts as a core.
std::vector<int> one_per_core(const SysRoot&, const std::vector<int>& allowed);

// Why memory that these CPUs use is not all of the machine's: NUMA nodes that have CPUs and memory, and none of these CPUs. Empty
// where there is no such node, or the machine tells of none.
std::string nodes_left_out(const SysRoot&, const std::vector<int>& cpus);

}  // namespace rackproof
