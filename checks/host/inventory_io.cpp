#include "checks/host/inventory_io.h"

#include <optional>
#include <string>

#include "checks/api/pci.h"
#include "checks/host/sysfs_devices.h"

namespace rackproof {
namespace {

constexpr std::int64_t kSector = 512;  // the kernel counts in these, whatever the disk's own sectors are

std::string trimmed(std::string text) {
  text.resize(text.find_last_not_of(" \t\n") + 1);
  return text;
}

void add_text(Facts& facts, const char* fact, const std::optional<std::string>& text) {
  if (text && !trimmed(*text).empty()) facts.emplace_back(fact, trimmed(*text));
}

void add_number(Facts& facts, const char* fact, const std::optional<std::int64_t>& number) {
  if (number) facts.emplace_back(fact, *number);
}

// "4: ACTIVE" → "ACTIVE"
std::optional<std::string> without_number(std::optional<std::string> text) {
  if (const std::size_t colon = text ? text->find(": ") : std::string::npos; colon != std::string::npos) {
    text->erase(0, colon + 2);
  }
  return text;
}

// With NVMe multipath a disk hangs under a virtual subsystem, whose entries lead to the controllers.
std::string controller_of(const SysRoot& root, const std::string& folder) {
  std::string pci = last_pci_address(root.link_target(folder).value_or(""));
  if (!pci.empty()) return pci;
  for (const std::string& entry : root.list(folder + "/device")) {
    pci = last_pci_address(root.link_target(folder + "/device/" + entry).value_or(""));
    if (entry.starts_with("nvme") && !pci.empty()) return pci;
  }
  return "";
}

}  // namespace

std::vector<Device> block_inventory(const SysRoot& root) {
  std::vector<Device> found;
  for (const std::string& name : root.list("/sys/block")) {
    const std::string folder = "/sys/block/" + name;
    // "hidden" is one path of a disk with several; the disk itself is there too.
    const bool is_disk = root.exists(folder + "/device") && root.integer(folder + "/removable") != 1 &&
                         root.integer(folder + "/hidden") != 1;
    if (!is_disk) continue;
    const std::string model = trimmed(root.text(folder + "/device/model").value_or(""));
    Device disk{.id = "block:" + name,
                .kind = "block",
                .name = model.empty() ? name : model,
                .parent = "machine",
                .facts = {}};
    if (const std::string pci = controller_of(root, folder); !pci.empty()) disk.parent = pci_id(pci);
    add_text(disk.facts, "model", model);
    add_text(disk.facts, "serial", root.text(folder + "/device/serial"));
    add_text(disk.facts, "firmware", root.text(folder + "/device/firmware_rev"));
    if (const auto sectors = root.integer(folder + "/size")) disk.facts.emplace_back("size_bytes", *sectors * kSector);
    add_number(disk.facts, "rotational", root.integer(folder + "/queue/rotational"));
    add_number(disk.facts, "logical_block_bytes", root.integer(folder + "/queue/logical_block_size"));
    found.push_back(std::move(disk));
  }
  return found;
}

std::vector<Device> net_inventory(const SysRoot& root) {
  std::vector<Device> found;
  for (const NetDevice& net : net_devices(root)) {
    Device device = to_device(net);
    add_text(device.facts, "address", root.text(net.folder() + "/address"));
    add_text(device.facts, "state", root.text(net.folder() + "/operstate"));
    add_number(device.facts, "mtu_bytes", root.integer(net.folder() + "/mtu"));
    // -1 or unreadable: no link, or a driver that does not know.
    const auto speed = root.integer(net.folder() + "/speed");
    if (speed && *speed > 0) device.facts.emplace_back("speed_mbits", *speed);
    found.push_back(std::move(device));
  }
  return found;
}

std::vector<Device> ib_inventory(const SysRoot& root) {
  std::vector<Device> found;
  for (const IbPort& port : ib_ports(root)) {
    Device device = to_device(port);
    const std::string adapter = "/sys/class/infiniband/" + port.adapter;
    add_text(device.facts, "link_layer", root.text(port.folder() + "/link_layer"));
    add_text(device.facts, "state", without_number(root.text(port.folder() + "/state")));
    add_text(device.facts, "physical_state", without_number(root.text(port.folder() + "/phys_state")));
    add_text(device.facts, "rate", root.text(port.folder() + "/rate"));
    add_text(device.facts, "adapter_type", root.text(adapter + "/hca_type"));
    add_text(device.facts, "board", root.text(adapter + "/board_id"));
    add_text(device.facts, "firmware", root.text(adapter + "/fw_ver"));
    add_text(device.facts, "node_guid", root.text(adapter + "/node_guid"));
    found.push_back(std::move(device));
  }
  return found;
}

}  // namespace rackproof
