#include "checks/host/inventory_pci.h"

#include <algorithm>
#include <map>
#include <string>

namespace rackproof {
namespace {

// "NVIDIA H100 80GB HBM3", out of lines like "Model: \t\t NVIDIA H100 80GB HBM3".
std::string after_label(std::string_view text, std::string_view label) {
  const std::size_t at = text.find(label);
  if (at == text.npos) return "";
  text.remove_prefix(at + label.size());
  text = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return std::string(text);
}

std::string trimmed(std::string text) {
  text.resize(text.find_last_not_of(" \t\n") + 1);
  return text;
}

// /sys knows numbers only. Drivers of GPUs and disks know what the part is called.
std::string name_of(const SysRoot& root, const PciDevice& device) {
  if (device.kind == "gpu") {
    const auto nvidia = root.text("/proc/driver/nvidia/gpus/" + device.address + "/information");
    if (nvidia) return after_label(*nvidia, "Model:");
    return trimmed(root.text(pci_attribute(device.address, "product_name")).value_or(""));  // amdgpu
  }
  if (device.kind == "nvme") {
    for (const std::string& controller : root.list(pci_attribute(device.address, "nvme"))) {
      return trimmed(root.text(pci_attribute(device.address, "nvme/" + controller + "/model")).value_or(""));
    }
  }
  return "";
}

// Which slot of the chassis a device is in: /sys/bus/pci/slots/3/address holds "0000:17:00".
std::map<std::string, std::string> slots(const SysRoot& root) {
  std::map<std::string, std::string> by_address;
  for (const std::string& slot : root.list("/sys/bus/pci/slots")) {
    if (const auto address = root.text("/sys/bus/pci/slots/" + slot + "/address")) by_address.emplace(*address, slot);
  }
  return by_address;
}

Facts facts_of(const SysRoot& root, const PciDevice& device, const std::map<std::string, std::string>& slots) {
  Facts facts;
  const auto add = [&](const char* fact, const std::optional<std::string>& text) {
    if (text && !text->empty()) facts.emplace_back(fact, *text);
  };
  for (const auto& [fact, file] : {std::pair{"class_code", "class"},
                                   std::pair{"vendor_id", "vendor"},
                                   std::pair{"device_id", "device"},
                                   std::pair{"subsystem_vendor_id", "subsystem_vendor"},
                                   std::pair{"subsystem_device_id", "subsystem_device"},
                                   std::pair{"firmware_label", "label"}}) {
    add(fact, root.text(pci_attribute(device.address, file)));
  }
  add("driver", root.link_name(pci_attribute(device.address, "driver")));
  const auto slot = slots.find(device.address.substr(0, device.address.rfind('.')));
  if (slot != slots.end()) add("slot", slot->second);
  if (!device.physical_function.empty()) add("virtual_function_of", pci_id(device.physical_function));
  // -1: the firmware does not say.
  const auto numa = root.integer(pci_attribute(device.address, "numa_node"));
  if (numa && *numa >= 0) facts.emplace_back("numa_node", *numa);
  return facts;
}

// The package next to a NUMA node, when it is one.
std::string package_at(const CpuTopology& cpus, std::optional<std::int64_t> numa_node) {
  const auto node = std::ranges::find(cpus.nodes, numa_node, [](const NumaNode& n) { return std::optional(n.number); });
  if (node == cpus.nodes.end() || node->packages.size() != 1) return "machine";
  return "package:" + std::to_string(node->packages.front());
}

}  // namespace

std::vector<Device> pci_inventory(const SysRoot& root, const std::vector<PciDevice>& devices, const CpuTopology& cpus) {
  std::map<std::string, Device> roots;
  std::vector<Device> found;
  const auto slot_names = slots(root);
  for (const PciDevice& device : devices) {
    found.push_back({.id = pci_id(device.address),
                     .kind = device.kind,
                     .name = name_of(root, device),
                     .parent = pci_parent_id(device),
                     .facts = facts_of(root, device, slot_names)});
    if (!device.parent.empty() || device.root.empty() || roots.contains(device.root)) continue;
    const auto numa = root.integer(pci_attribute(device.address, "numa_node"));
    roots[device.root] = {.id = pci_id(device.root), .kind = "pci-root", .name = {}, .parent = package_at(cpus, numa),
                          .facts = {}};
  }
  std::vector<Device> all;
  for (auto& [bus, device] : roots) all.push_back(std::move(device));
  std::ranges::move(found, std::back_inserter(all));
  return all;
}

std::vector<Link> pci_links(const SysRoot& root, const std::vector<PciDevice>& devices) {
  std::vector<Link> links;
  for (const PciDevice& device : devices) {
    if (device.parent.empty() && device.root.empty()) continue;
    Link link{.from = pci_parent_id(device), .to = pci_id(device.address), .kind = "pcie", .facts = {}};
    if (!device.port.empty()) {
      if (const auto now = pci_link(root, device.address, "current")) {
        link.facts = {{"speed_gts", now->speed_gts}, {"width_lanes", now->width_lanes}};
      }
    }
    links.push_back(std::move(link));
  }
  return links;
}

}  // namespace rackproof
