#include "checks/pcie/link_ends.h"

#include <fnmatch.h>

#include <algorithm>
#include <thread>

namespace rackproof {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kBetweenLooks = std::chrono::milliseconds(20);

bool is_upper_end(const PciDevice& device) { return device.kind == "bridge" && device.port.empty(); }

}  // namespace

std::vector<PciDevice> chosen_devices(std::vector<PciDevice> devices, const std::string& glob,
                                      const std::string& kind) {
  const auto matches = [&](const std::string& name) { return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0; };
  std::erase_if(devices, [&](const PciDevice& device) {
    if (kind != "all" && device.kind != kind) return true;
    return !matches(device.address) && !matches(pci_id(device.address));
  });
  return devices;
}

std::vector<LinkEnd> link_ends(const SysRoot& root, const std::vector<PciDevice>& devices, Unmeasured& unmeasured) {
  std::vector<LinkEnd> ends;
  for (const PciDevice& device : devices) {
    if (is_upper_end(device)) continue;
    if (!device.physical_function.empty()) {
      unmeasured.virtual_functions.push_back(device);
    } else if (!root.exists(pci_attribute(device.address, "current_link_speed"))) {
      unmeasured.silent.push_back(device);
    } else if (const auto device_max = pci_link(root, device.address, "max"); !device_max) {
      unmeasured.unknown.push_back(device);
    } else {
      ends.push_back({.device = device, .device_max = *device_max, .port_max = {}, .device_watch = {},
                      .port_watch = {}});
      if (!device.port.empty()) ends.back().port_max = pci_link(root, device.port, "max");
    }
  }
  return ends;
}

void watch_links(const SysRoot& root, std::vector<LinkEnd>& ends, std::chrono::duration<double> how_long,
                 Unmeasured& unmeasured) {
  const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(how_long);
  while (true) {
    for (LinkEnd& end : ends) {
      end.device_watch.look(pci_link(root, end.device.address, "current"));
      if (end.port_max) end.port_watch.look(pci_link(root, end.device.port, "current"));
    }
    const auto left = until - Clock::now();
    if (left <= Clock::duration::zero()) break;
    std::this_thread::sleep_for(std::min<Clock::duration>(left, kBetweenLooks));
  }
  for (const LinkEnd& end : ends) {
    if (!end.device_watch.has_seen()) unmeasured.unknown.push_back(end.device);
  }
  std::erase_if(ends, [](const LinkEnd& end) { return !end.device_watch.has_seen(); });
}

}  // namespace rackproof
