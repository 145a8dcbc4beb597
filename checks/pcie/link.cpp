// pcie.link: at what speed and width each PCIe link runs, against what its two ends can do.
#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/pci.h"
#include "checks/pcie/link_ends.h"
#include "checks/pcie/link_facts.h"

namespace rackproof {
namespace {

constexpr double kLongestWatch = 3600;  // s
constexpr std::size_t kMostNamed = 16;  // devices in one note

void note_unmeasured(Context& context, const std::vector<PciDevice>& devices, std::string_view why) {
  if (devices.empty()) return;
  std::string text = "not measured: ";
  for (std::size_t i = 0; i < std::min(devices.size(), kMostNamed); ++i) {
    text += (i == 0 ? "" : ", ") + pci_id(devices[i].address);
  }
  if (devices.size() > kMostNamed) text += " and " + std::to_string(devices.size() - kMostNamed) + " more";
  context.note(text + ": " + std::string(why));
}

void note_power_state(Context& context, const PciDevice& device) {
  const auto status = context.sysroot().text(pci_attribute(device.address, "power/runtime_status"));
  if (!status || *status == "active" || *status == "unsupported") return;
  context.note(pci_id(device.address) + " is " + *status + " (runtime power management): its link may be trained down");
}

void describe(Context& context, const PciDevice& device, const PciLink& max) {
  context.device({.id = pci_id(device.address),
                  .kind = device.kind,
                  .name = {},
                  .parent = pci_parent_id(device),
                  .facts = {{"link_speed_max_gts", max.speed_gts}, {"link_width_max_lanes", max.width_lanes}}});
}

void report(Context& context, const LinkEnd& end) {
  const std::string id = pci_id(end.device.address);
  const PciLink& now = end.device_watch.highest();
  const PciLink& low = end.device_watch.lowest();
  const PciLink capable = end.capable();
  const auto lanes = [](const PciLink& link) { return static_cast<double>(link.width_lanes); };
  describe(context, end.device, end.device_max);
  if (!end.device.port.empty()) {
    context.link({.from = pci_id(end.device.port),
                  .to = id,
                  .kind = "pcie",
                  .facts = {{"speed_gts", now.speed_gts},
                            {"width_lanes", now.width_lanes},
                            {"speed_capable_gts", capable.speed_gts},
                            {"width_capable_lanes", capable.width_lanes},
                            {"bandwidth_gbs", bandwidth_gbs(now)}}});
  }
  context.measure("speed", id, now.speed_gts);
  context.measure("speed_capable", id, capable.speed_gts);
  context.measure("speed_lowest", id, low.speed_gts);
  context.measure("width", id, lanes(now));
  context.measure("width_capable", id, lanes(capable));
  context.measure("width_lowest", id, lanes(low));
  context.measure("bandwidth", id, bandwidth_gbs(now));
  context.measure("device_speed_capable", id, end.device_max.speed_gts);
  context.measure("device_width_capable", id, lanes(end.device_max));
  if (end.port_max) {
    context.measure("port_speed_capable", id, end.port_max->speed_gts);
    context.measure("port_width_capable", id, lanes(*end.port_max));
  }
}

void note_oddities(Context& context, const LinkEnd& end) {
  const std::string id = pci_id(end.device.address);
  const std::string port = pci_id(end.device.port);
  const LinkWatch& seen = end.device_watch;
  if (!end.port_max) context.note(id + ": no port above it says what it can do, so only its own ability is known");
  if (end.port_max && holds_back(*end.port_max, end.device_max)) {
    context.note(id + " can do " + to_text(end.device_max) + ", the port above it, " + port + ", only " +
                 to_text(*end.port_max));
  }
  if (seen.varied()) {
    context.note(id + " showed " + to_text(seen.lowest()) + " at the least and " + to_text(seen.highest()) +
                 " at the most in " + std::to_string(seen.looks()) + " looks (power management, or retraining)");
  }
  if (seen.seen() < seen.looks()) {
    context.note(id + " showed nothing in " + std::to_string(seen.looks() - seen.seen()) + " of " +
                 std::to_string(seen.looks()) + " looks");
  }
  if (end.port_watch.has_seen() && end.port_watch.highest() != seen.highest()) {
    context.note("the two ends disagree: " + id + " says " + to_text(seen.highest()) + ", " + port + " says " +
                 to_text(end.port_watch.highest()));
  }
  note_power_state(context, end.device);
}

void measure_links(Context& context) {
  const std::string kind = context.param<std::string>("class");
  const std::string glob = context.param<std::string>("devices");
  const double watch = context.param<double>("watch");
  if (watch < 0 || watch > kLongestWatch) throw Trouble{"the parameter 'watch' is not between 0 s and 1 h"};

  const SysRoot& root = context.sysroot();
  const std::vector<PciDevice> all = pci_devices(root);
  if (all.empty()) throw Skip{"this machine has no PCI devices"};
  const std::vector<PciDevice> chosen = chosen_devices(all, glob, kind);
  if (chosen.empty()) throw Skip{"no PCI device of class '" + kind + "' has an address like '" + glob + "'"};

  Unmeasured unmeasured;
  std::vector<LinkEnd> ends = link_ends(root, chosen, unmeasured);
  if (!ends.empty()) watch_links(root, ends, std::chrono::duration<double>(watch), unmeasured);
  if (ends.empty()) {
    throw Skip{"none of the " + std::to_string(chosen.size()) +
               " PCI devices says anything about its link (a virtual machine?)"};
  }

  std::set<std::string> described;
  for (const LinkEnd& end : ends) {
    if (end.port_max && described.insert(end.device.port).second) {
      describe(context, *std::ranges::find(all, end.device.port, &PciDevice::address), *end.port_max);
    }
    report(context, end);
    note_oddities(context, end);
  }
  note_unmeasured(context, unmeasured.silent, "no link attributes (integrated, or conventional PCI)");
  note_unmeasured(context, unmeasured.unknown,
                  "its link is \"Unknown\" or without lanes (integrated, or without power)");
  note_unmeasured(context, unmeasured.virtual_functions, "a virtual function has no link of its own");
  for (const PciDevice& device : unmeasured.unknown) note_power_state(context, device);
}

constexpr rackproof_parameter kParameters[] = {
    {"devices", "text", "*", nullptr, "which devices, by address, as a shell glob: \"0000:17:*\""},
    {"class", "choice all|gpu|nic|nvme", "all", nullptr, "which kind of devices"},
    {"watch", "quantity", "1 s", "s", "how long to look for the highest speed and width"},
    {},
};

constexpr rackproof_metric kMetrics[] = {
    {"speed", "GT/s", "higher", "highest speed seen, as the device says it"},
    {"speed_capable", "GT/s", "bound", "the lesser of what the device and the port above it can do"},
    {"speed_lowest", "GT/s", "higher", "lowest speed seen"},
    {"width", "lanes", "higher", "widest link seen, as the device says it"},
    {"width_capable", "lanes", "bound", "the lesser of what the device and the port above it can do"},
    {"width_lowest", "lanes", "higher", "narrowest link seen"},
    {"bandwidth", "GB/s", "higher", "speed times width after line encoding, in each direction"},
    {"device_speed_capable", "GT/s", "bound", "what the device itself can do"},
    {"device_width_capable", "lanes", "bound", "what the device itself can do"},
    {"port_speed_capable", "GT/s", "bound", "what the port above the device can do"},
    {"port_width_capable", "lanes", "bound", "what the port above the device can do"},
    {},
};

constexpr const char* kByHand[] = {
    "grep . /sys/bus/pci/devices/0000:17:00.0/{current,max}_link_{speed,width}",
    "readlink -f /sys/bus/pci/devices/0000:17:00.0   # the folder above is the port's",
    "lspci -vv -s 17:00.0 | grep -E 'LnkCap|LnkSta'",
    nullptr,
};

}  // namespace
}  // namespace rackproof

RACKPROOF_CHECK(.name = "pcie.link", .layer = "pcie",
                .summary = "Speed and width of each PCIe link against what its two ends can do",
                .method =
                    "Reads current and max_link_speed and _width of each device and of the port above it in "
                    "/sys/bus/pci/devices, again and again over the time 'watch', because an idle link may be trained "
                    "down to save power. The highest speed and width seen count as negotiated. What the link can do is "
                    "the lesser of its ends.",
                .parameters = rackproof::kParameters, .metrics = rackproof::kMetrics, .by_hand = rackproof::kByHand,
                .run = rackproof::entry<rackproof::measure_links>)
