// The body of host.inventory.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/pci.h"
#include "checks/host/cpu_topology.h"
#include "checks/host/inventory_io.h"
#include "checks/host/inventory_pci.h"
#include "checks/host/sysfs_devices.h"

namespace rackproof {
namespace {

constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;

// PRETTY_NAME of /etc/os-release, without its quotes.
std::string os_release(const SysRoot& root) {
  const std::string text = "\n" + root.text("/etc/os-release").value_or("");
  constexpr std::string_view kKey = "\nPRETTY_NAME=";
  const std::size_t at = text.find(kKey);
  if (at == text.npos) return "";
  std::string name = text.substr(at + kKey.size(), text.find('\n', at + 1) - at - kKey.size());
  std::erase(name, '"');
  return name;
}

Device machine(const SysRoot& root, const CpuTopology& cpus) {
  Device device{.id = "machine", .kind = "machine", .name = {}, .parent = {}, .facts = {}};
  const auto add = [&](const char* fact, const std::string& text) {
    if (!text.empty()) device.facts.emplace_back(fact, text);
  };
  add("kernel", root.text("/proc/sys/kernel/osrelease").value_or(""));
  add("os_release", os_release(root));
  // The serial numbers are for root alone.
  for (const auto& [fact, file] : {std::pair{"vendor", "sys_vendor"},
                                   std::pair{"product", "product_name"},
                                   std::pair{"serial", "product_serial"},
                                   std::pair{"board", "board_name"},
                                   std::pair{"firmware", "bios_version"},
                                   std::pair{"firmware_date", "bios_date"}}) {
    add(fact, root.text(std::string("/sys/class/dmi/id/") + file).value_or(""));
  }
  device.name = root.text("/sys/class/dmi/id/product_name").value_or("");
  add("cpus_offline", root.text("/sys/devices/system/cpu/offline").value_or(""));
  device.facts.emplace_back("threads", cpus.threads);
  device.facts.emplace_back("memory_bytes", cpus.memory_bytes);
  return device;
}

void measure_count(Context& context, std::string_view metric, std::int64_t count) {
  context.measure(metric, "", static_cast<double>(count));
}

void report_cpus(Context& context, const CpuTopology& cpus) {
  for (const Package& package : cpus.packages) {
    Device device = package_device(package.number);
    device.name = package.model;
    device.facts = {{"cores", package.cores}, {"threads", package.threads}};
    context.device(device);
  }
  for (const NumaNode& node : cpus.nodes) {
    const std::string id = "numa:" + std::to_string(node.number);
    Device device{.id = id, .kind = "numa", .name = {}, .parent = "machine", .facts = {}};
    if (node.packages.size() == 1) device.parent = "package:" + std::to_string(node.packages.front());
    device.facts.emplace_back("memory_bytes", node.memory_bytes);
    if (!node.cpus.empty()) device.facts.emplace_back("cpu_list", node.cpus);
    context.device(device);
    for (const std::int64_t package : node.packages) {
      context.link({.from = "package:" + std::to_string(package), .to = id, .kind = "memory", .facts = {}});
    }
  }
  // Some virtual machines say nothing of packages and cores: none known is not none there.
  if (!cpus.packages.empty()) measure_count(context, "packages", std::ssize(cpus.packages));
  if (cpus.cores > 0) measure_count(context, "cores", cpus.cores);
  measure_count(context, "threads", cpus.threads);
  measure_count(context, "numa_nodes", std::ssize(cpus.nodes));
  if (cpus.memory_bytes > 0) context.measure("memory", "", static_cast<double>(cpus.memory_bytes) / kGiB);
}

void report_pci(Context& context, const CpuTopology& cpus) {
  const SysRoot& root = context.sysroot();
  const std::vector<PciDevice> devices = pci_devices(root);
  for (const Device& device : pci_inventory(root, devices, cpus)) context.device(device);
  for (const Link& link : pci_links(root, devices)) context.link(link);

  const auto physical = [](const PciDevice& device) { return device.physical_function.empty(); };
  const auto count = [&](std::string_view kind) {
    return std::ranges::count_if(devices, [&](const PciDevice& d) { return physical(d) && d.kind == kind; });
  };
  measure_count(context, "pci_devices", std::ranges::count_if(devices, physical));
  measure_count(context, "gpus", count("gpu"));
  measure_count(context, "nvswitches", count("nvswitch"));
  measure_count(context, "accelerators", count("accelerator"));
  measure_count(context, "nics", count("nic"));
  measure_count(context, "nvme", count("nvme"));
}

void report_all(Context& context, const std::vector<Device>& devices, std::string_view metric) {
  for (const Device& device : devices) context.device(device);
  measure_count(context, metric, std::ssize(devices));
}

// Without a driver for it /sys/class/infiniband does not exist, and the count is 0.
void report_infiniband(Context& context) {
  const std::vector<Device> ports = ib_inventory(context.sysroot());
  for (const Device& port : ports) context.device(port);
  const std::pair<std::string, FactValue> infiniband{"link_layer", "InfiniBand"};
  measure_count(context, "infiniband", std::ranges::count_if(ports, [&](const Device& port) {
                  return std::ranges::find(port.facts, infiniband) != port.facts.end();
                }));
}

}  // namespace
}  // namespace rackproof

void rackproof_run(rackproof::Context& context) {
  using namespace rackproof;
  const SysRoot& root = context.sysroot();
  const CpuTopology cpus = read_cpu_topology(root.directory());
  context.device(machine(root, cpus));
  report_cpus(context, cpus);
  // What the tree does not hold is not counted: a count of 0 would be evidence from nothing.
  const auto if_there = [&](const char* folder, auto report) {
    if (root.exists(folder)) return report();
    context.note(std::string(folder) + " is not there, so what it would list is not counted");
  };
  if_there("/sys/bus/pci/devices", [&] { report_pci(context, cpus); });
  if_there("/sys/block", [&] { report_all(context, block_inventory(root), "block_devices"); });
  if_there("/sys/class/net", [&] { report_all(context, net_inventory(root), "net_devices"); });
  report_infiniband(context);
}
