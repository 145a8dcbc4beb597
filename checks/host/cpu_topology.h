// Packages, cores, threads and NUMA nodes, as hwloc finds them below a root directory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rackproof {

struct Package {
  std::int64_t number = 0;  // the kernel's physical_package_id
  std::string model;
  std::int64_t cores = 0;
  std::int64_t threads = 0;
};

struct NumaNode {
  std::int64_t number = 0;  // the kernel's
  std::int64_t memory_bytes = 0;
  std::string cpus;                    // "0-3,8"; empty for a node of memory alone
  std::vector<std::int64_t> packages;  // whose cores are next to it
};

struct CpuTopology {
  std::vector<Package> packages;
  std::vector<NumaNode> nodes;
  std::int64_t cores = 0;
  std::int64_t threads = 0;  // logical CPUs that are online
  std::int64_t memory_bytes = 0;
};

// Throws Trouble when the directory does not describe the CPUs.
CpuTopology read_cpu_topology(const std::string& root_directory);

}  // namespace rackproof
