#include "checks/host/cpu_topology.h"

#include <hwloc.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

struct Destroy {
  void operator()(hwloc_topology_t topology) const { hwloc_topology_destroy(topology); }
};
using Topology = std::unique_ptr<hwloc_topology, Destroy>;

// hwloc is told by environment variables alone where to read. All that could lead it elsewhere is set: given an
// incomplete tree it would otherwise ask the CPU it runs on (the component "x86"), and given HWLOC_XMLFILE or
// HWLOC_SYNTHETIC by the user's environment it would describe another machine.
void point_hwloc_at(const std::string& root_directory) {
  const bool is_real = root_directory == "/";
  ::setenv("HWLOC_COMPONENTS", "linux,stop", 1);
  ::setenv("HWLOC_FSROOT", root_directory.c_str(), 1);
  ::setenv("HWLOC_THISSYSTEM", is_real ? "1" : "0", 1);
  // Plugins are loaded before components are chosen; those of GPU vendors take long and are of no use here.
  ::setenv("HWLOC_PLUGINS_BLACKLIST",
           "hwloc_cuda.so,hwloc_gl.so,hwloc_levelzero.so,hwloc_nvml.so,hwloc_opencl.so,hwloc_pci.so,hwloc_rsmi.so,"
           "hwloc_xml_libxml.so",
           1);
}

Topology load(const std::string& root_directory) {
  point_hwloc_at(root_directory);
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0) throw Trouble{std::string("hwloc does not start: ") + std::strerror(errno)};
  Topology topology(raw);
  // The machine is described as it is, not as the control group of this process lets it be used.
  hwloc_topology_set_flags(raw, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
  hwloc_topology_set_cache_types_filter(raw, HWLOC_TYPE_FILTER_KEEP_NONE);
  if (hwloc_topology_load(raw) != 0) {
    throw Trouble{"hwloc finds no CPUs in " + (root_directory == "/" ? "" : root_directory) +
                  "/sys/devices/system/cpu: " + std::strerror(errno)};
  }
  return topology;
}

std::int64_t count(hwloc_topology_t topology, hwloc_obj_type_t type) {
  return std::max(hwloc_get_nbobjs_by_type(topology, type), 0);
}

std::int64_t count_inside(hwloc_topology_t topology, hwloc_const_cpuset_t set, hwloc_obj_type_t type) {
  return std::max(hwloc_get_nbobjs_inside_cpuset_by_type(topology, set, type), 0);
}

std::string list_text(hwloc_const_bitmap_t set) {
  char* text = nullptr;
  if (hwloc_bitmap_list_asprintf(&text, set) < 0) return "";
  const std::unique_ptr<char, decltype(&std::free)> owned(text, &std::free);
  return owned.get();
}

}  // namespace

CpuTopology read_cpu_topology(const std::string& root_directory) {
  const Topology topology = load(root_directory);
  CpuTopology found;
  for (hwloc_obj_t object = nullptr;
       (object = hwloc_get_next_obj_by_type(topology.get(), HWLOC_OBJ_PACKAGE, object)) != nullptr;) {
    const char* model = hwloc_obj_get_info_by_name(object, "CPUModel");
    found.packages.push_back({.number = object->os_index,
                              .model = model == nullptr ? "" : model,
                              .cores = count_inside(topology.get(), object->cpuset, HWLOC_OBJ_CORE),
                              .threads = count_inside(topology.get(), object->cpuset, HWLOC_OBJ_PU)});
  }
  for (hwloc_obj_t object = nullptr;
       (object = hwloc_get_next_obj_by_type(topology.get(), HWLOC_OBJ_NUMANODE, object)) != nullptr;) {
    NumaNode node{.number = object->os_index,
                  .memory_bytes = static_cast<std::int64_t>(object->attr->numanode.local_memory),
                  .cpus = list_text(object->cpuset),
                  .packages = {}};
    for (hwloc_obj_t package = nullptr;
         (package = hwloc_get_next_obj_by_type(topology.get(), HWLOC_OBJ_PACKAGE, package)) != nullptr;) {
      if (hwloc_bitmap_intersects(package->cpuset, object->cpuset)) node.packages.push_back(package->os_index);
    }
    found.nodes.push_back(std::move(node));
  }
  found.cores = count(topology.get(), HWLOC_OBJ_CORE);
  found.threads = count(topology.get(), HWLOC_OBJ_PU);
  found.memory_bytes = static_cast<std::int64_t>(hwloc_get_root_obj(topology.get())->total_memory);
  return found;
}

}  // namespace rackproof
