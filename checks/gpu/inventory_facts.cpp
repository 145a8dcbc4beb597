#include "checks/gpu/inventory_facts.h"

#include <map>
#include <optional>

namespace rackproof {
namespace {

template <class Value>
void add(Facts& facts, const char* name, const std::optional<Value>& value) {
  if (value) facts.emplace_back(name, *value);
}

void add(Facts& facts, const char* name, const std::string& text) {
  if (!text.empty()) facts.emplace_back(name, text);
}

}  // namespace

Device to_device(const NvidiaGpu& gpu) {
  Device device{.id = gpu.id(),
                .kind = "gpu",
                .name = {},
                .parent = gpu.pci ? pci_parent_id(*gpu.pci) : "machine",
                .facts = {}};
  if (!gpu.nvml) return device;
  const NvmlGpu& nvml = *gpu.nvml;
  device.name = nvml.name().value_or("");
  add(device.facts, "uuid", nvml.uuid());
  add(device.facts, "serial", nvml.serial());
  add(device.facts, "board_part", nvml.board_part());
  add(device.facts, "vbios", nvml.vbios());
  add(device.facts, "inforom", nvml.inforom());
  add(device.facts, "module", nvml.module());
  add(device.facts, "minor", nvml.minor());
  add(device.facts, "compute_capability", nvml.compute_capability());
  add(device.facts, "cuda_cores", nvml.cuda_cores());
  if (const auto memory = nvml.memory()) device.facts.emplace_back("memory_bytes", memory->total);
  return device;
}

Device machine_with_driver(const Nvml& nvml) {
  Device machine{.id = "machine", .kind = "machine", .name = {}, .parent = {}, .facts = {}};
  add(machine.facts, "nvidia_driver", nvml.driver_version());
  add(machine.facts, "cuda_of_driver", nvml.cuda_version());
  add(machine.facts, "nvml", nvml.nvml_version());
  return machine;
}

std::vector<Link> nvlink_paths(const std::string& address, const std::vector<NvmlGpu::Nvlink>& links,
                               const std::set<std::string>& gpus) {
  struct Path {
    std::int64_t links = 0;
    std::int64_t active = 0;
    double gbs = 0;
    std::optional<std::int64_t> version;
  };
  std::map<std::string, Path> by_remote;
  for (const NvmlGpu::Nvlink& link : links) {
    if (link.remote.empty() || (link.remote < address && gpus.contains(link.remote))) continue;
    Path& path = by_remote[link.remote];
    ++path.links;
    if (!link.active) continue;
    ++path.active;
    path.gbs += link.speed_gbs.value_or(0);
    path.version = link.version;
  }
  std::vector<Link> paths;
  for (const auto& [remote, path] : by_remote) {
    Link link{.from = pci_id(address), .to = pci_id(remote), .kind = "nvlink",
              .facts = {{"links", path.links}, {"links_active", path.active}}};
    if (path.gbs > 0) link.facts.emplace_back("bandwidth_gbs", path.gbs);
    if (path.version) link.facts.emplace_back("version", *path.version);
    paths.push_back(std::move(link));
  }
  return paths;
}

}  // namespace rackproof
