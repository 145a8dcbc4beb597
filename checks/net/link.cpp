// net.link: link, speed and errors of each Ethernet interface, and the bonds that interfaces make.
#include <fnmatch.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/pci.h"
#include "checks/api/rising_counters.h"
#include "checks/net/bond.h"
#include "checks/net/ethernet_interface.h"

namespace rackproof {
namespace {

constexpr double kLongestWindow = 3600;  // s
constexpr std::chrono::milliseconds kPause{20};

constexpr RisingCounter kCounters[] = {
    {"carrier_changes", "carrier_changes"},
    {"receive_errors", "statistics/rx_errors"},
    {"checksum_errors", "statistics/rx_crc_errors"},
    {"transmit_errors", "statistics/tx_errors"},
    {"carrier_errors", "statistics/tx_carrier_errors"},
    {"receive_drops", "statistics/rx_dropped"},
    {"receive_missed", "statistics/rx_missed_errors"},
    {"transmit_drops", "statistics/tx_dropped"},
};

struct WatchedInterface {
  EthernetInterface interface;
  RisingCounters counters;
  InterfaceWatch watch;
};

std::vector<WatchedInterface> chosen(Context& context) {
  const SysRoot& root = context.sysroot();
  const auto glob = context.param<std::string>("devices");
  const std::vector<EthernetInterface> all = ethernet_interfaces(root);
  if (all.empty()) throw Skip{"this machine has no Ethernet interface that is hardware"};
  std::vector<WatchedInterface> watched;
  for (const EthernetInterface& interface : all) {
    const auto fits = [&](const std::string& name) { return ::fnmatch(glob.c_str(), name.c_str(), 0) == 0; };
    if (!fits(interface.name) && !fits(interface.id())) continue;
    watched.push_back({interface, RisingCounters(root, interface.folder(), kCounters), {}});
  }
  if (watched.empty()) throw Skip{"no Ethernet interface has a name like '" + glob + "'"};
  return watched;
}

void watch(const SysRoot& root, std::vector<WatchedInterface>& all, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  const auto look = [&] {
    for (WatchedInterface& watched : all) watched.watch.look(look_at_interface(root, watched.interface));
  };
  look();
  while (Clock::now() < end) {
    std::this_thread::sleep_until(std::min<Clock::time_point>(end, Clock::now() + kPause));
    look();
  }
  for (WatchedInterface& watched : all) watched.counters.read_again(root);
}

void report(Context& context, const WatchedInterface& watched, const Facts& bond, bool has_window) {
  const SysRoot& root = context.sysroot();
  const EthernetInterface& interface = watched.interface;
  const std::string id = interface.id();
  Device device{.id = id, .kind = "net", .name = interface.name,
                .parent = interface.pci.empty() ? "machine" : pci_id(interface.pci), .facts = bond};
  if (const auto state = root.text(interface.folder() + "/operstate")) device.facts.emplace_back("state", *state);
  watched.counters.add_totals(device.facts);
  context.device(device);

  const InterfaceLook& worst = watched.watch.worst();
  if (worst.carrier) context.measure("carrier", id, static_cast<double>(*worst.carrier));
  if (worst.gbits) context.measure("speed", id, *worst.gbits);
  if (worst.directions) context.measure("duplex", id, *worst.directions);
  const auto mtu = root.integer(interface.folder() + "/mtu");
  if (mtu) context.measure("mtu", id, static_cast<double>(*mtu));
  // Over no time nothing can have risen, which is no evidence of anything.
  if (has_window) watched.counters.report_rise(context, id);
}

// Interfaces that lack the same are named together.
void note_absent(Context& context, const std::vector<WatchedInterface>& all) {
  std::map<std::string, std::string> by_absence;
  for (const WatchedInterface& watched : all) {
    const InterfaceLook& seen = watched.watch.worst();
    std::vector<std::string> absent;
    if (!seen.carrier) absent.emplace_back("carrier");
    if (!seen.gbits) absent.emplace_back("speed");
    if (!seen.directions) absent.emplace_back("duplex");
    std::ranges::copy(watched.counters.absent(""), std::back_inserter(absent));
    std::string names;
    for (const std::string& name : absent) names += (names.empty() ? "" : ", ") + name;
    if (names.empty()) continue;
    std::string& ids = by_absence[names];
    ids += (ids.empty() ? "" : ", ") + watched.interface.id();
  }
  for (const auto& [names, ids] : by_absence) context.note("not said, and so not measured, on " + ids + ": " + names);
}

void report_bond(Context& context, const Bond& bond) {
  context.device({.id = bond.id(), .kind = "bond", .name = bond.name, .parent = "machine", .facts = bond.facts});
  const auto up = std::ranges::count_if(bond.members, &BondMember::is_up);
  const auto active = std::ranges::count_if(bond.members, &BondMember::is_active);
  context.measure("bond_members", bond.id(), static_cast<double>(bond.members.size()));
  context.measure("bond_members_up", bond.id(), static_cast<double>(up));
  context.measure("bond_members_active", bond.id(), static_cast<double>(active));
  for (const BondMember& member : bond.members) {
    if (!member.is_up) context.note(bond.id() + ": the link of its member " + member.interface + " is not up");
  }
}

void measure_interfaces(Context& context) {
  const double window = context.param<double>("window");
  if (window < 0 || window > kLongestWindow) throw Trouble{"the parameter 'window' is not between 0 s and 1 h"};
  const SysRoot& root = context.sysroot();
  std::vector<WatchedInterface> all = chosen(context);
  watch(root, all, window);

  const std::vector<Bond> found = bonds(root);
  std::map<std::string, Facts> membership;
  for (const Bond& bond : found) {
    for (const BondMember& member : bond.members) membership[member.interface] = member.facts;
  }
  for (const WatchedInterface& watched : all) report(context, watched, membership[watched.interface.name], window > 0);
  for (const Bond& bond : found) {
    // A bond of interfaces that were not asked for is not asked for either.
    const bool is_chosen = std::ranges::any_of(bond.members, [&](const BondMember& member) {
      return std::ranges::any_of(all, [&](const auto& watched) { return watched.interface.name == member.interface; });
    });
    if (is_chosen) report_bond(context, bond);
  }
  context.measure("interfaces", "", static_cast<double>(all.size()));
  note_absent(context, all);
}

constexpr rackproof_parameter kParameters[] = {
    {"devices", "text", "*", nullptr, "which interfaces, by name, as a shell glob: \"eth[0-7]\""},
    {"window", "quantity", "1 s", "s", "how long to look, and to count; 0 s: one look, and no counter is measured"},
    {},
};

constexpr rackproof_metric kMetrics[] = {
    {"interfaces", "count", "higher", "interfaces that were looked at"},
    {"carrier", "count", "exact", "1: there was a link in every look that said anything; 0: there was none"},
    {"speed", "Gb/s", "higher", "lowest speed seen while there was a link"},
    {"duplex", "count", "exact", "directions at once: 1 half duplex, 2 full"},
    {"mtu", "B", "exact", "largest packet"},
    {"carrier_changes", "count", "lower", "times the link came or went, in the window (as all counters that follow)"},
    {"receive_errors", "count", "lower", "bad packets received"},
    {"checksum_errors", "count", "lower", "of those, with a wrong checksum: the mark of a bad cable or transceiver"},
    {"transmit_errors", "count", "lower", "packets that could not be sent"},
    {"carrier_errors", "count", "lower", "of those, because the link was lost"},
    {"receive_drops", "count", "lower", "good packets received and dropped, for want of room or of a taker"},
    {"receive_missed", "count", "lower", "packets that the device dropped because the host was too slow"},
    {"transmit_drops", "count", "lower", "packets dropped on the way out"},
    {"bond_members", "count", "exact", "interfaces of a bond"},
    {"bond_members_up", "count", "higher", "of those, with a link, as the bond sees it"},
    {"bond_members_active", "count", "higher", "of those, in use; one in the mode active-backup, else all that are up"},
    {},
};

constexpr const char* kByHand[] = {
    "grep . /sys/class/net/eth0/{carrier,speed,duplex,operstate,mtu,carrier_changes}",
    "grep . /sys/class/net/eth0/statistics/*{errors,dropped}; sleep 1; !!",
    "cat /proc/net/bonding/bond0",
    "ethtool eth0",
    nullptr,
};

}  // namespace
}  // namespace rackproof

RACKPROOF_CHECK(.name = "net.link", .layer = "fabric",
                .summary = "Link, speed and errors of each Ethernet interface, and the state of bonds",
                .method =
                    "Reads /sys/class/net for each interface of hardware: its counters, then carrier, speed and duplex "
                    "again and again over the time 'window', then the counters once more. Bonds are read from bonding and "
                    "bonding_slave there.",
                .parameters = rackproof::kParameters, .metrics = rackproof::kMetrics, .by_hand = rackproof::kByHand,
                .run = rackproof::entry<rackproof::measure_interfaces>)
