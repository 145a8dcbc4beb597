// The PCI tree of a simulated node: root ports, switches and what is below them, each with its link and error counters.
#include <algorithm>
#include <cstdio>
#include <set>
#include <stdexcept>
#include <vector>

#include "checks/api/quantity.h"
#include "tests/simulator/layout.h"
#include "tests/simulator/layout_parts.h"
#include "tests/simulator/node_files.h"

namespace rackproof::simulator {
namespace {

constexpr int kBridge = 0x060400;
constexpr int kGpuClass = 0x030200;
constexpr int kNicClass = 0x020700;
constexpr int kNvmeClass = 0x010802;
constexpr int kNvswitchClass = 0x068000;
constexpr int kIntel = 0x8086;
constexpr int kBroadcom = 0x1000;
constexpr int kNvidia = 0x10de;
constexpr int kMellanox = 0x15b3;
constexpr int kSamsung = 0x144d;

// Where NVSwitches hang: buses that the profiles leave free.
constexpr int kNvswitchRoot = 0xe8;

std::string hex(const char* form, int number) {
  char text[16];
  std::snprintf(text, sizeof text, form, static_cast<unsigned>(number));
  return text;
}

int bus_of(const std::string& address) { return std::stoi(address.substr(5, 2), nullptr, 16); }

std::string address_at(int bus, int device) { return "0000:" + hex("%02x", bus) + ":" + hex("%02x", device) + ".0"; }

struct Function {
  std::string address;
  int class_code = 0;
  int vendor = 0;
  int device = 0;
  int numa = 0;
  Port now;
  Port most;
};

class PciTree {
 public:
  PciTree(LayoutTree& tree, const Profile& profile) : tree_(tree), profile_(profile) {}

  // `above`: its folder below /sys/devices, without its own. Gives back the function's own.
  std::string add(const std::string& above, const Function& function) {
    if (!taken_.insert(function.address).second) throw std::runtime_error("two parts would be at " + function.address);
    const std::string place = above + "/" + function.address;
    const std::string folder = "/sys/devices/" + place + "/";
    tree_.link("/sys/bus/pci/devices/" + function.address, "../../../devices/" + place);
    tree_.file(folder + "class", hex("0x%06x", function.class_code));
    tree_.file(folder + "vendor", hex("0x%04x", function.vendor));
    tree_.file(folder + "device", hex("0x%04x", function.device));
    tree_.file(folder + "subsystem_vendor", hex("0x%04x", function.vendor));
    tree_.file(folder + "subsystem_device", hex("0x%04x", function.device));
    tree_.file(folder + "numa_node", std::to_string(function.numa));
    tree_.file(folder + "local_cpulist",
               cpu_list(function.numa * profile_.cores_per_socket, profile_.cores_per_socket));
    tree_.file(folder + "current_link_speed", speed(function.now));
    tree_.file(folder + "current_link_width", std::to_string(function.now.width));
    tree_.file(folder + "max_link_speed", speed(function.most));
    tree_.file(folder + "max_link_width", std::to_string(function.most.width));
    tree_.file(folder + "power/runtime_status", "active");
    for (const char* which : {"correctable", "nonfatal", "fatal"}) {
      tree_.file(folder + "aer_dev_" + which, aer_text(which, 0));
    }
    return place;
  }

  std::string root_port(int bus, int numa, const Port& now, const Port& most) {
    return add("pci" + std::string("0000:") + hex("%02x", bus),
               {address_at(bus, 1), kBridge, kIntel, 0x352a, numa, now, most});
  }

 private:
  static std::string speed(const Port& port) {
    if (port.width == 0) return "2.5 GT/s PCIe";
    std::string number = shortest(port.speed_gts);
    if (number.find('.') == std::string::npos) number += ".0";
    return number + " GT/s PCIe";
  }

  LayoutTree& tree_;
  const Profile& profile_;
  std::set<std::string> taken_;
};

// What sits below a switch: a function, at the end of a link that may be trained down.
struct Below {
  Function function;
  Port slot;             // of the port above it
  bool is_there = true;  // else the port is empty
  const SimulatedNic* nic = nullptr;
  const SimulatedDisk* disk = nullptr;
};

Below gpu_below(const Profile& profile, int number, const std::vector<Fault>& faults) {
  const SimulatedGpu& gpu = profile.gpus[static_cast<std::size_t>(number)];
  Below below{.function = {gpu.address, kGpuClass, kNvidia, static_cast<int>(profile.kind.device_id), 0, profile.slot,
                           profile.slot},
              .slot = profile.slot};
  for (const Fault& fault : faults) {
    if (fault.target != number) continue;
    if (fault.kind == FaultKind::gpu_missing) below.is_there = false;
    if (fault.kind == FaultKind::link_width) below.function.now.width = static_cast<int>(fault.amount);
    if (fault.kind == FaultKind::link_speed) below.function.now.speed_gts = fault.amount;
  }
  return below;
}

std::vector<Below> below_switch(const Profile& profile, int number, const std::vector<Fault>& faults) {
  std::vector<Below> all;
  for (int gpu = 0; gpu < static_cast<int>(profile.gpus.size()); ++gpu) {
    if (profile.gpus[static_cast<std::size_t>(gpu)].upstream == number) all.push_back(gpu_below(profile, gpu, faults));
  }
  for (const SimulatedNic& nic : profile.nics) {
    if (nic.upstream != number) continue;
    const int device = profile.slot.speed_gts >= 32 ? 0x1021 : 0x101b;
    all.push_back({.function = {nic.address, kNicClass, kMellanox, device, 0, profile.slot, profile.slot},
                   .slot = profile.slot,
                   .nic = &nic});
  }
  // A disk has four lanes, and a generation that every slot here has.
  const Port disk_port{.speed_gts = 16, .width = 4};
  for (const SimulatedDisk& disk : profile.disks) {
    if (disk.upstream != number) continue;
    all.push_back({.function = {disk.address, kNvmeClass, kSamsung, 0xa80a, 0, disk_port, disk_port},
                   .slot = disk_port,
                   .disk = &disk});
  }
  const int numa = profile.switches[static_cast<std::size_t>(number)].numa;
  for (Below& below : all) below.function.numa = numa;
  std::ranges::sort(all, {}, [](const Below& below) { return below.function.address; });
  return all;
}

Port link_now(const Below& below) { return below.is_there ? below.function.now : Port{.speed_gts = 2.5, .width = 0}; }

void add_part(PciTree& pci, LayoutTree& tree, const Profile& profile, const std::string& port, const Below& below) {
  if (!below.is_there) return;
  const std::string place = pci.add(port, below.function);
  if (below.nic != nullptr) {
    lay_out_nic(tree, profile, *below.nic, place);
  } else if (below.disk != nullptr) {
    lay_out_disk(tree, *below.disk, place, static_cast<int>(below.disk - profile.disks.data()));
  } else {
    tree.link("/sys/devices/" + place + "/driver", "../../../../../bus/pci/drivers/nvidia");
  }
}

void add_switch(PciTree& pci, LayoutTree& tree, const Profile& profile, int number, const std::vector<Fault>& faults) {
  const SimulatedSwitch& above = profile.switches[static_cast<std::size_t>(number)];
  const std::vector<Below> parts = below_switch(profile, number, faults);
  const int bus = bus_of(above.address);
  if (above.is_root_port) {
    if (parts.size() > 1) throw std::runtime_error("more than one part is below the root port " + above.address);
    const Port now = parts.empty() ? Port{} : link_now(parts.front());
    const std::string port = pci.root_port(bus, above.numa, now, above.uplink);
    for (const Below& below : parts) add_part(pci, tree, profile, port, below);
    return;
  }
  if (bus < 1) throw std::runtime_error("the switch " + above.address + " leaves no bus for the root port above it");
  const std::string port = pci.root_port(bus - 1, above.numa, above.uplink, above.uplink);
  const std::string upstream =
      pci.add(port, {above.address, kBridge, kBroadcom, 0xc030, above.numa, above.uplink, above.uplink});
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string downstream =
        pci.add(upstream, {address_at(bus + 1, static_cast<int>(i)), kBridge, kBroadcom, 0xc030, above.numa,
                           link_now(parts[i]), parts[i].slot});
    add_part(pci, tree, profile, downstream, parts[i]);
  }
}

// Behind a switch of their own, which carries no data of the GPUs: two lanes each, for management.
void add_nvswitches(PciTree& pci, const Profile& profile) {
  if (profile.nvswitches == 0) return;
  const Port port{.speed_gts = 8, .width = 2};
  const std::string root = pci.root_port(kNvswitchRoot, 0, port, port);
  const std::string upstream =
      pci.add(root, {address_at(kNvswitchRoot + 1, 0), kBridge, kBroadcom, 0xc010, 0, port, port});
  for (int i = 0; i < profile.nvswitches; ++i) {
    const std::string downstream =
        pci.add(upstream, {address_at(kNvswitchRoot + 2, i), kBridge, kBroadcom, 0xc010, 0, port, port});
    pci.add(downstream, {nvswitch_address(i), kNvswitchClass, kNvidia, 0x22a3, 0, port, port});
  }
}

}  // namespace

void lay_out_pci(LayoutTree& tree, const Profile& profile, const std::vector<Fault>& faults) {
  PciTree pci(tree, profile);
  for (int number = 0; number < static_cast<int>(profile.switches.size()); ++number) {
    add_switch(pci, tree, profile, number, faults);
  }
  add_nvswitches(pci, profile);
}

}  // namespace rackproof::simulator
