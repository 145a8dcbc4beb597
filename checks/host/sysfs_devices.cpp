#include "checks/host/sysfs_devices.h"

#include <algorithm>
#include <cctype>

#include "checks/api/pci.h"

namespace rackproof {
namespace {

std::string pci_of(const SysRoot& root, const std::string& folder) {
  return last_pci_address(root.link_target(folder).value_or(""));
}

std::string parent_of(const std::string& pci) { return pci.empty() ? "machine" : pci_id(pci); }

// "cpu12", not "cpuidle"
bool is_cpu(std::string_view name) {
  if (!name.starts_with("cpu") || name.size() == 3) return false;
  return std::ranges::all_of(name.substr(3), [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

std::vector<NetDevice> net_devices(const SysRoot& root) {
  std::vector<NetDevice> found;
  for (const std::string& name : root.list("/sys/class/net")) {
    NetDevice net{.name = name, .pci = {}};
    if (!root.exists(net.folder() + "/device")) continue;
    net.pci = pci_of(root, net.folder());
    found.push_back(std::move(net));
  }
  return found;
}

std::vector<IbPort> ib_ports(const SysRoot& root) {
  std::vector<IbPort> found;
  for (const std::string& adapter : root.list("/sys/class/infiniband")) {
    const std::string folder = "/sys/class/infiniband/" + adapter;
    const std::string pci = pci_of(root, folder);
    for (const std::string& number : root.list(folder + "/ports")) found.push_back({adapter, number, pci});
  }
  return found;
}

std::vector<Cpu> cpus(const SysRoot& root) {
  std::vector<Cpu> found;
  for (const std::string& name : root.list("/sys/devices/system/cpu")) {
    if (!is_cpu(name)) continue;
    const std::string folder = "/sys/devices/system/cpu/" + name;
    found.push_back({folder, root.integer(folder + "/topology/physical_package_id").value_or(-1)});
  }
  return found;
}

Device to_device(const NetDevice& net) {
  return {.id = "net:" + net.name, .kind = "net", .name = net.name, .parent = parent_of(net.pci), .facts = {}};
}

Device to_device(const IbPort& port) {
  return {.id = "ib:" + port.adapter + "/" + port.number,
          .kind = "port",
          .name = port.adapter + " port " + port.number,
          .parent = parent_of(port.pci),
          .facts = {}};
}

Device package_device(std::int64_t package) {
  if (package < 0) return {.id = "machine", .kind = "machine", .name = {}, .parent = {}, .facts = {}};
  return {.id = "package:" + std::to_string(package), .kind = "package", .name = {}, .parent = "machine", .facts = {}};
}

}  // namespace rackproof
