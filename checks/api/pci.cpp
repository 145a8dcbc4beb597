#include "checks/api/pci.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>

namespace rackproof {
namespace {

constexpr std::string_view kDevices = "/sys/bus/pci/devices";

// PCI Code and ID Assignment Specification: base class and subclass.
constexpr std::int64_t kNvmeClass = 0x0108;
constexpr std::int64_t k3dController = 0x0302;
constexpr std::int64_t kPciBridge = 0x0604;
constexpr std::int64_t kOtherBridge = 0x0680;
// Base classes.
constexpr std::int64_t kNetwork = 0x02;
constexpr std::int64_t kDisplay = 0x03;
constexpr std::int64_t kBridge = 0x06;
constexpr std::int64_t kAccelerator = 0x12;

constexpr std::int64_t kAmd = 0x1002;
constexpr std::int64_t kNvidia = 0x10de;
constexpr std::int64_t kIntel = 0x8086;

bool is_hex(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

// "0000:17:00.0"
bool is_address(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos || colon < 4 || text.size() != colon + 8) return false;
  return is_hex(text.substr(0, colon)) && is_hex(text.substr(colon + 1, 2)) && text[colon + 3] == ':' &&
         is_hex(text.substr(colon + 4, 2)) && text[colon + 6] == '.' && is_hex(text.substr(colon + 7));
}

// "pci0000:17": the folder of a root bus.
bool is_root_bus(std::string_view text) {
  if (!text.starts_with("pci")) return false;
  text.remove_prefix(3);
  const std::size_t colon = text.find(':');
  return colon != text.npos && colon >= 4 && is_hex(text.substr(0, colon)) && text.size() == colon + 3 &&
         is_hex(text.substr(colon + 1));
}

PciDevice read_device(const SysRoot& root, const std::string& address) {
  PciDevice device{.address = address, .parent = {}, .root = {}, .port = {}, .physical_function = {}, .kind = {}};
  // "../../../devices/pci0000:00/0000:00:01.0/0000:17:00.0"
  const std::string place = root.link_target(std::string(kDevices) + "/" + address).value_or("");
  std::string_view above = place;
  above = above.substr(0, above.rfind('/'));
  device.parent = last_pci_address(above);
  while (!above.empty() && device.root.empty()) {
    const std::size_t slash = above.rfind('/');
    const std::string_view last = slash == above.npos ? above : above.substr(slash + 1);
    if (is_root_bus(last)) device.root = last.substr(3);
    above = slash == above.npos ? "" : above.substr(0, slash);
  }
  device.class_code = root.integer(pci_attribute(address, "class")).value_or(0);
  device.vendor = root.integer(pci_attribute(address, "vendor")).value_or(0);
  device.physical_function = root.link_name(pci_attribute(address, "physfn")).value_or("");
  device.kind = pci_kind(device.class_code, device.vendor);
  return device;
}

// A link leads from a root port, or from a downstream port of a switch, to whatever is below it. Between the upstream
// port of a switch and its downstream ports there is no link. The tree alone tells them apart: a bridge on a root bus
// is a root port, a bridge at the lower end of a link is an upstream port, a bridge below that is a downstream port.
void find_ports(std::vector<PciDevice>& devices) {
  std::map<std::string_view, PciDevice*> by_address;
  for (PciDevice& device : devices) by_address.emplace(device.address, &device);
  for (PciDevice& device : devices) {
    bool ends_link = false;
    std::string_view above = device.parent;
    // From the device upward, the answer alternates with every bridge. No tree has more levels than bus numbers.
    for (int level = 0; level < 256; ++level) {
      const auto found = by_address.find(above);
      if (found == by_address.end() || found->second->class_code >> 8 != kPciBridge) break;
      ends_link = !ends_link;
      above = found->second->parent;
    }
    if (ends_link) device.port = device.parent;
  }
}

}  // namespace

std::vector<PciDevice> pci_devices(const SysRoot& root) {
  std::vector<PciDevice> devices;
  for (const std::string& address : root.list(kDevices)) devices.push_back(read_device(root, address));
  find_ports(devices);
  return devices;
}

std::string_view pci_kind(std::int64_t class_code, std::int64_t vendor) {
  const std::int64_t base = class_code >> 16;
  const std::int64_t subclass = class_code >> 8;
  if (base == kDisplay) {
    const bool computes = subclass == k3dController || vendor == kNvidia || vendor == kAmd || vendor == kIntel;
    return computes ? "gpu" : "display";
  }
  if (base == kAccelerator) return vendor == kAmd ? "gpu" : "accelerator";
  if (subclass == kNvmeClass) return "nvme";
  if (subclass == kOtherBridge && vendor == kNvidia) return "nvswitch";
  if (base == kNetwork) return "nic";
  if (base == kBridge) return "bridge";
  return "pci";
}

std::string pci_id(std::string_view address_or_bus) { return "pci:" + std::string(address_or_bus); }

std::string pci_parent_id(const PciDevice& device) {
  const std::string& above = device.parent.empty() ? device.root : device.parent;
  return above.empty() ? "machine" : pci_id(above);
}

std::string pci_attribute(std::string_view address, std::string_view name) {
  return std::string(kDevices) + "/" + std::string(address) + "/" + std::string(name);
}

std::string last_pci_address(std::string_view path) {
  while (!path.empty()) {
    const std::size_t slash = path.rfind('/');
    const std::string_view last = slash == path.npos ? path : path.substr(slash + 1);
    if (is_address(last)) return std::string(last);
    path = slash == path.npos ? "" : path.substr(0, slash);
  }
  return "";
}

std::optional<double> link_speed_gts(std::string_view text) {
  double speed = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), speed);
  if (code != std::errc{} || !(speed > 0)) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit != " GT/s" && !unit.starts_with(" GT/s ")) return std::nullopt;
  return speed;
}

std::optional<std::int64_t> link_width_lanes(std::optional<std::int64_t> number) {
  constexpr std::array<std::int64_t, 7> kWidths{1, 2, 4, 8, 12, 16, 32};
  if (!number || std::ranges::find(kWidths, *number) == kWidths.end()) return std::nullopt;
  return number;
}

std::optional<PciLink> pci_link(const SysRoot& root, std::string_view address, std::string_view which) {
  const std::string attribute = pci_attribute(address, which);
  const auto speed = link_speed_gts(root.text(attribute + "_link_speed").value_or(""));
  const auto width = link_width_lanes(root.integer(attribute + "_link_width"));
  if (!speed || !width) return std::nullopt;
  return PciLink{*speed, *width};
}

}  // namespace rackproof
