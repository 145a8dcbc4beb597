// Packages, memory, identity and the kernel of a simulated node.
#include <algorithm>
#include <string>

#include "tests/simulator/layout.h"

namespace rackproof::simulator {
namespace {

constexpr int kCoresPerCache = 8;

// A last-level cache for every eight cores of a package. It is described once: the other cores point there, which makes
// the node a third smaller.
void lay_out_cache(LayoutTree& tree, const Profile& profile, int cpu) {
  const int within = cpu % profile.cores_per_socket;
  const int first = cpu - within % kCoresPerCache;
  const std::string top = "/sys/devices/system/cpu/cpu";
  if (cpu != first) return tree.link(top + std::to_string(cpu) + "/cache", "../cpu" + std::to_string(first) + "/cache");
  const int sharers = std::min(kCoresPerCache, profile.cores_per_socket - within);
  const std::string cache = top + std::to_string(cpu) + "/cache/index3/";
  tree.file(cache + "level", "3");
  tree.file(cache + "type", "Unified");
  tree.file(cache + "size", "16384K");
  tree.file(cache + "shared_cpu_list", cpu_list(first, sharers));
}

// Counted on the first core of each package.
void lay_out_throttling(LayoutTree& tree, int cpu) {
  for (const char* counter : {"core_throttle_count", "core_throttle_total_time_ms", "package_throttle_count",
                              "package_throttle_total_time_ms"}) {
    tree.file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/thermal_throttle/" + counter, "0");
  }
}

void lay_out_cpus(LayoutTree& tree, const Profile& profile) {
  const int cores = profile.cores_per_socket;
  const int all = cores * profile.sockets;
  const std::string top = "/sys/devices/system/cpu/";
  for (const char* name : {"online", "possible", "present"}) tree.file(top + name, cpu_list(0, all));
  tree.file(top + "offline", "");
  std::string info;
  for (int cpu = 0; cpu < all; ++cpu) {
    const int package = cpu / cores;
    const std::string topology = top + "cpu" + std::to_string(cpu) + "/topology/";
    tree.file(topology + "physical_package_id", std::to_string(package));
    tree.file(topology + "core_id", std::to_string(cpu % cores));
    tree.file(topology + "package_cpus", cpu_mask(package * cores, cores, all));
    tree.file(topology + "core_cpus", cpu_mask(cpu, 1, all));
    tree.file(topology + "thread_siblings_list", std::to_string(cpu));
    lay_out_cache(tree, profile, cpu);
    if (cpu % cores == 0) lay_out_throttling(tree, cpu);
    info += "processor\t: " + std::to_string(cpu) + "\nvendor_id\t: GenuineIntel\nmodel name\t: Simulated CPU\n" +
            "physical id\t: " + std::to_string(package) + "\ncore id\t\t: " + std::to_string(cpu % cores) + "\n\n";
  }
  tree.file("/proc/cpuinfo", info);
}

void lay_out_memory(LayoutTree& tree, const Profile& profile) {
  const std::string top = "/sys/devices/system/node/";
  const int cores = profile.cores_per_socket;
  const std::string kib = std::to_string(profile.memory_per_socket >> 10);
  for (const char* name : {"online", "possible", "has_cpu", "has_memory"}) {
    tree.file(top + name, cpu_list(0, profile.sockets));
  }
  for (int node = 0; node < profile.sockets; ++node) {
    const std::string number = std::to_string(node);
    const std::string folder = top + "node" + number + "/";
    std::string distance;
    for (int other = 0; other < profile.sockets; ++other) {
      distance += std::string(other == 0 ? "" : " ") + (other == node ? "10" : "21");
    }
    tree.file(folder + "cpumap", cpu_mask(node * cores, cores, cores * profile.sockets));
    tree.file(folder + "cpulist", cpu_list(node * cores, cores));
    tree.file(folder + "meminfo", "Node " + number + " MemTotal:       " + kib + " kB");
    tree.file(folder + "distance", distance);
    tree.file("/sys/devices/system/edac/mc/mc" + number + "/ce_count", "0");
    tree.file("/sys/devices/system/edac/mc/mc" + number + "/ue_count", "0");
  }
  const std::string total = std::to_string((profile.memory_per_socket >> 10) * profile.sockets);
  tree.file("/proc/meminfo", "MemTotal:       " + total + " kB\nMemFree:        " + total + " kB\nMemAvailable:   " +
                                 total + " kB");
}

void lay_out_identity(LayoutTree& tree, const Profile& profile) {
  tree.file("/proc/sys/kernel/osrelease", "6.8.0-simulated");
  tree.file("/usr/lib/os-release", "NAME=\"Simulated\"\nPRETTY_NAME=\"Simulated Linux\"\nID=simulated");
  tree.link("/etc/os-release", "../usr/lib/os-release");
  tree.file("/sys/class/dmi/id/sys_vendor", "Simulated");
  tree.file("/sys/class/dmi/id/product_name", profile.system);
  tree.file("/sys/class/dmi/id/product_serial", "SIM0001");
  tree.file("/sys/class/dmi/id/board_name", profile.name);
  tree.file("/sys/class/dmi/id/bios_version", "1.0");
}

}  // namespace

void lay_out_host(LayoutTree& tree, const Profile& profile) {
  lay_out_cpus(tree, profile);
  lay_out_memory(tree, profile);
  lay_out_identity(tree, profile);
}

}  // namespace rackproof::simulator
