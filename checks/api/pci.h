// PCI devices as /sys/bus/pci shows them: what each is, where it sits in the tree, and its link.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/sysroot.h"

namespace rackproof {

struct PciDevice {
  std::string address;            // "0000:17:00.0"; domains behind an Intel VMD have five digits
  std::string parent;             // address of the device above it; empty on a root bus
  std::string root;               // the root bus it hangs under: "0000:00"
  std::string port;               // address of the port at the upper end of its link; empty when it ends no link
  std::string physical_function;  // address, for a virtual function of SR-IOV; else empty
  std::int64_t class_code = 0;    // base class, subclass, programming interface: 0x030200
  std::int64_t vendor = 0;
  std::string kind;               // "gpu", "accelerator", "display", "nic", "nvme", "nvswitch", "bridge" or "pci"
};

// All of them, sorted by address.
std::vector<PciDevice> pci_devices(const SysRoot&);

// "gpu" is what computes: a 3D controller, a display controller of a vendor of GPUs, or an accelerator of AMD. The
// graphics of a management controller is "display".
std::string_view pci_kind(std::int64_t class_code, std::int64_t vendor);

// The device id of an address or of a root bus.
std::string pci_id(std::string_view address_or_bus);

// The device id of what the device is part of: the device above it, else its root bus, else "machine".
std::string pci_parent_id(const PciDevice&);

// "/sys/bus/pci/devices/0000:17:00.0/" and the name of an attribute.
std::string pci_attribute(std::string_view address, std::string_view name);

// The PCI device nearest to the end of a path of /sys/devices ("…/0000:17:00.0/net/eth0"); empty when none is in it.
std::string last_pci_address(std::string_view path);

struct PciLink {
  double speed_gts = 0;
  std::int64_t width_lanes = 0;
  bool operator==(const PciLink&) const = default;
};

// What the device's end of its link says, `which` being "current" or "max"; for a port it is the link below it. nullopt
// when it says nothing: no attributes, "Unknown", no lanes.
std::optional<PciLink> pci_link(const SysRoot&, std::string_view address, std::string_view which);

// "32.0 GT/s PCIe" and the older "8 GT/s" → 32, 8; nullopt for "Unknown" and whatever else is no speed.
std::optional<double> link_speed_gts(std::string_view text);

// nullopt for what PCIe has no link of: 0 (no link), 63 (a device without power reads all ones), 255 (the kernel's word
// for unknown).
std::optional<std::int64_t> link_width_lanes(std::optional<std::int64_t> number);

}  // namespace rackproof
