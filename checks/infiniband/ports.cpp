// The body of infiniband.ports: the ports are watched over a time, then told of one by one.
#include <fnmatch.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/pci.h"
#include "checks/api/pci_bandwidth.h"
#include "checks/infiniband/adapter_port.h"
#include "checks/infiniband/nearest_gpu.h"
#include "checks/infiniband/port_counters.h"
#include "checks/infiniband/port_facts.h"
#include "checks/infiniband/port_watch.h"
#include "checks/infiniband/roce.h"

namespace rackproof {
namespace {

constexpr double kLongestWindow = 3600;  // s
constexpr std::chrono::milliseconds kPause{20};
// What no layer below put right, as host.counters has it: on a healthy link none of these moves.
constexpr const char* kUncorrected[] = {"link_downed", "receive_errors", "link_integrity_errors", "buffer_overruns"};
constexpr std::int64_t kInfinibandController = 0x0207;  // PCI base class and subclass

struct WatchedPort {
  AdapterPort port;
  RisingCounters counters;
  std::string slot;    // PCI address of what its link ends in; a virtual function has the link of its physical one
  std::string make;
  std::string netdev;  // of a RoCE port
  PortWatch watch;
};

class Ports {
 public:
  explicit Ports(Context& context)
      : context_(context),
        root_(context.sysroot()),
        pci_(pci_devices(root_)),
        window_(context.param<double>("window")) {
    if (window_ < 0 || window_ > kLongestWindow) throw Trouble{"the parameter 'window' is not between 0 s and 1 h"};
  }

  void run() {
    choose();
    watch();
    for (const WatchedPort& watched : ports_) describe_adapter(watched.port);
    for (const WatchedPort& watched : ports_) report(watched);
    report_totals();
    note_absent();
  }

 private:
  void choose();
  void watch();
  void look();
  void describe_adapter(const AdapterPort&);
  void report(const WatchedPort&);
  void report_slot(const WatchedPort&);
  void report_errors(const WatchedPort&);
  void report_totals();
  void note_absent();

  std::string parent_of(const AdapterPort& port) const { return port.pci.empty() ? "machine" : pci_id(port.pci); }
  std::string slot_of(const AdapterPort&) const;
  std::vector<std::string> without_driver() const;
  double best_rate(const std::string& make) const;

  Context& context_;
  const SysRoot& root_;
  std::vector<PciDevice> pci_;
  double window_;  // s
  std::vector<WatchedPort> ports_;
  std::set<std::string> described_;
};

std::string Ports::slot_of(const AdapterPort& port) const {
  const auto device = std::ranges::find(pci_, port.pci, &PciDevice::address);
  if (device == pci_.end() || device->physical_function.empty()) return port.pci;
  return device->physical_function;
}

// InfiniBand controllers on PCI that no adapter stands for. Virtual functions are meant to be given away.
std::vector<std::string> Ports::without_driver() const {
  std::set<std::string> known;
  for (const std::string& adapter : root_.list("/sys/class/infiniband")) {
    known.insert(last_pci_address(root_.link_target("/sys/class/infiniband/" + adapter).value_or("")));
  }
  std::vector<std::string> missing;
  for (const PciDevice& device : pci_) {
    const bool is_controller = device.class_code >> 8 == kInfinibandController && device.physical_function.empty();
    if (is_controller && !known.contains(device.address)) missing.push_back(device.address);
  }
  return missing;
}

void Ports::choose() {
  const auto glob = context_.param<std::string>("devices");
  const auto layer = context_.param<std::string>("link_layer");
  const std::vector<AdapterPort> all = adapter_ports(root_);
  if (all.empty()) {
    if (const auto missing = without_driver(); !missing.empty()) {
      throw Trouble{"the InfiniBand controller " + missing.front() + " is there, but no driver made an adapter of it"};
    }
    throw Skip{"this machine has no InfiniBand or RoCE adapter"};
  }
  for (const AdapterPort& port : all) {
    const std::string name = port.adapter + "/" + port.number;
    if (::fnmatch(glob.c_str(), name.c_str(), 0) != 0 && ::fnmatch(glob.c_str(), port.id().c_str(), 0) != 0) continue;
    const auto its_layer = root_.text(port.folder() + "/link_layer");
    if (layer != "all" && its_layer != layer) continue;
    ports_.push_back({.port = port,
                      .counters = RisingCounters(root_, port.folder(), port_counters()),
                      .slot = slot_of(port),
                      .make = make_of(root_, port),
                      .netdev = its_layer == "Ethernet" ? netdev_of(root_, port) : "",
                      .watch = {}});
  }
  if (ports_.empty()) throw Skip{"no port of link layer '" + layer + "' has a name like '" + glob + "'"};
}

void Ports::look() {
  for (WatchedPort& watched : ports_) {
    watched.watch.look(look_at_port(root_, watched.port));
    if (!watched.slot.empty()) watched.watch.look_at_slot(pci_link(root_, watched.slot, "current"));
  }
}

void Ports::watch() {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(window_));
  look();
  while (Clock::now() < end) {
    std::this_thread::sleep_until(std::min<Clock::time_point>(end, Clock::now() + kPause));
    look();
  }
  for (WatchedPort& watched : ports_) watched.counters.read_again(root_);
}

void Ports::describe_adapter(const AdapterPort& port) {
  const auto device = std::ranges::find(pci_, port.pci, &PciDevice::address);
  if (device == pci_.end() || !described_.insert(port.pci).second) return;
  Device adapter{.id = pci_id(port.pci), .kind = "nic", .name = {}, .parent = pci_parent_id(*device),
                 .facts = adapter_facts(root_, port)};
  const auto numa = root_.integer(pci_attribute(port.pci, "numa_node"));
  if (numa && *numa >= 0) adapter.facts.emplace_back("numa_node", *numa);
  const NearestGpus near = nearest_gpus(root_, pci_, *device);
  std::string ids;
  for (const std::string& address : near.addresses) ids += (ids.empty() ? "" : " ") + pci_id(address);
  if (!ids.empty()) {
    adapter.facts.emplace_back("nearest_gpu", ids);
    adapter.facts.emplace_back("nearest_gpu_by", near.by);
  }
  context_.device(adapter);
}

double Ports::best_rate(const std::string& make) const {
  double best = 0;
  for (const WatchedPort& watched : ports_) {
    if (watched.make == make && watched.watch.rate()) best = std::max(best, watched.watch.rate()->gbits);
  }
  return best;
}

void Ports::report(const WatchedPort& watched) {
  const AdapterPort& port = watched.port;
  const std::string id = port.id();
  Device device{.id = id, .kind = "port", .name = port.adapter + " port " + port.number, .parent = parent_of(port),
                .facts = port_facts(root_, port)};
  if (port.pci.empty()) std::ranges::copy(adapter_facts(root_, port), std::back_inserter(device.facts));
  const PortWatch& seen = watched.watch;
  if (seen.state()) device.facts.emplace_back("state", seen.state()->name);
  if (seen.physical()) device.facts.emplace_back("physical_state", seen.physical()->name);
  if (seen.rate() && !seen.rate()->generation.empty()) device.facts.emplace_back("generation", seen.rate()->generation);
  if (!watched.netdev.empty()) {
    device.facts.emplace_back("netdev", watched.netdev);
    std::ranges::copy(congestion_settings(root_, watched.netdev), std::back_inserter(device.facts));
  }
  watched.counters.add_totals(device.facts);
  context_.device(device);

  if (seen.state()) context_.measure("state", id, static_cast<double>(seen.state()->number));
  if (seen.physical()) context_.measure("physical_state", id, static_cast<double>(seen.physical()->number));
  context_.measure("state_changes", id, seen.changes());
  if (seen.rate()) {
    context_.measure("rate", id, seen.rate()->gbits);
    context_.measure("rate_alike", id, best_rate(watched.make));
    context_.measure("width", id, static_cast<double>(seen.rate()->lanes));
  }
  report_slot(watched);
  if (!watched.netdev.empty()) {
    const auto mtu = root_.integer("/sys/class/net/" + watched.netdev + "/mtu");
    if (mtu) context_.measure("mtu", id, static_cast<double>(*mtu));
  }
  if (window_ > 0) report_errors(watched);
}

// Over no time nothing can have risen, which would be no evidence of anything.
void Ports::report_errors(const WatchedPort& watched) {
  const std::string id = watched.port.id();
  watched.counters.report_rise(context_, id);
  std::int64_t errors = watched.watch.changes();
  for (const char* metric : kUncorrected) errors += watched.counters.rise_of(metric).value_or(0);
  context_.measure("errors", id, static_cast<double>(errors));
  if (watched.watch.changes() > 0) {
    context_.note(id + " changed its state " + std::to_string(watched.watch.changes()) + " times in the window");
  }
}

void Ports::report_slot(const WatchedPort& watched) {
  const auto& slot = watched.watch.slot();
  if (!slot) return;
  const double gbits = 8 * bandwidth_gbs(*slot);
  context_.measure("pcie_bandwidth", watched.port.id(), gbits);
  const auto& rate = watched.watch.rate();
  if (rate) context_.measure("rate_share", watched.port.id(), 100 * rate->gbits / gbits);
}

void Ports::report_totals() {
  std::set<std::string> adapters;
  for (const WatchedPort& watched : ports_) adapters.insert(watched.port.adapter);
  const auto active = std::ranges::count_if(ports_, [](const WatchedPort& watched) {
    return watched.watch.state() && watched.watch.state()->number == kActive;
  });
  const auto missing = without_driver();
  context_.measure("adapters", "", static_cast<double>(adapters.size()));
  context_.measure("ports", "", static_cast<double>(ports_.size()));
  context_.measure("ports_active", "", static_cast<double>(active));
  context_.measure("controllers_without_driver", "", static_cast<double>(missing.size()));
  for (const std::string& address : missing) {
    const std::string driver = root_.link_name(pci_attribute(address, "driver")).value_or("none");
    context_.note(pci_id(address) + " is an InfiniBand controller, but no driver made an adapter of it (its driver: " +
                  driver + ")");
  }
}

// Ports that lack the same are named together.
void Ports::note_absent() {
  std::map<std::string, std::string> by_absence;
  for (const WatchedPort& watched : ports_) {
    const PortWatch& seen = watched.watch;
    std::vector<std::string> absent;
    if (!seen.state()) absent.emplace_back("state");
    if (!seen.physical()) absent.emplace_back("physical_state");
    if (!seen.rate()) absent.emplace_back("rate (no link)");
    if (!seen.slot()) absent.emplace_back("pcie_bandwidth");
    std::ranges::copy(watched.counters.absent("counters/"), std::back_inserter(absent));
    std::string names;
    for (const std::string& name : absent) names += (names.empty() ? "" : ", ") + name;
    if (names.empty()) continue;
    std::string& ports = by_absence[names];
    ports += (ports.empty() ? "" : ", ") + watched.port.id();
  }
  for (const auto& [names, ports] : by_absence) {
    context_.note("not said, and so not measured, on " + ports + ": " + names);
  }
}

}  // namespace
}  // namespace rackproof

void rackproof_run(rackproof::Context& context) { rackproof::Ports(context).run(); }
