// The phases of pcie.bandwidth, and what of them is reported.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/pci.h"
#include "checks/gpu/nvml.h"
#include "checks/gpu/random_cycle.h"
#include "checks/pcie/aer.h"
#include "checks/pcie/copy_room.h"
#include "checks/pcie/copy_session.h"
#include "checks/pcie/host_chase.h"
#include "checks/pcie/numa_nodes.h"
#include "checks/pcie/uplinks.h"

namespace rackproof {
namespace {

constexpr double kLongest = 3600;          // s, of one figure
constexpr std::uint64_t kCycleSeed = 1;

constexpr double kGiga = 1e9;

std::int64_t nanoseconds(Context& context, const char* parameter) {
  const double seconds = context.param<double>(parameter);
  if (seconds < 0 || seconds > kLongest) {
    throw Trouble{"the parameter '" + std::string(parameter) + "' is not between 0 s and 1 h"};
  }
  return static_cast<std::int64_t>(seconds * 1e9);
}

// Counters that only rise, of one GPU, when it was last looked at.
struct Counters {
  std::optional<std::int64_t> replays;
  std::optional<std::int64_t> aer;
};

class Bandwidth {
 public:
  explicit Bandwidth(Context& context)
      : context_(context),
        all_(pci_devices(context.sysroot())),
        phases_(context.param<std::string>("phases")),
        nvml_(Nvml::open(context.sysroot(), no_nvml_)) {}

  void run();

 private:
  void place(std::vector<GpuPart>&);
  void describe();
  Counters read_counters(const GpuPart&);
  void measure_alone(GpuPart&);
  void measure_far(GpuPart&);
  void measure_latency();
  void measure_latency(GpuPart&, int node, const char* metric, const std::vector<std::uint64_t>& cycle,
                       std::map<int, std::unique_ptr<HostChase>>& by_node);
  void measure_uplinks();
  void measure_node();
  // All of these at once in one direction; the sum in GB/s.
  double measure_together(const std::vector<GpuPart*>&, Direction, const std::string& suffix);
  void report_end(GpuPart&, const Counters& before);
  void say(const std::optional<Estimate>&, const std::string& metric, const GpuPart&);
  bool is_all() const { return phases_ == "all"; }

  Context& context_;
  std::vector<PciDevice> all_;
  std::string phases_;
  std::size_t chunk_ = 0;
  std::string no_nvml_;  // why
  std::optional<Nvml> nvml_;
  std::vector<MemoryNode> nodes_;
  std::map<int, int> near_;  // by CUDA's index; -1: anywhere
  std::map<int, int> far_;   // -1: there is none
  std::map<std::string, std::pair<double, double>> alone_;  // h2d and d2h in GB/s, by id
  std::unique_ptr<CopySession> session_;
};

void Bandwidth::place(std::vector<GpuPart>& parts) {
  nodes_ = numa_nodes_with_memory(context_.sysroot());
  const bool can_place = can_place_memory();
  if (!can_place) context_.note("memory cannot be put on a NUMA node here, so no far memory is measured");
  if (can_place && nodes_.size() < 2) context_.note("one NUMA node with memory: there is no far memory to be measured");
  for (const GpuPart& part : parts) {
    const int node =
        can_place && std::ranges::count(nodes_, part.gpu.numa_node, &MemoryNode::number) > 0 ? part.gpu.numa_node : -1;
    near_[part.gpu.index] = node;
    far_[part.gpu.index] = node < 0 ? -1 : far_node(nodes_, node);
    if (node < 0 && can_place && nodes_.size() > 1) {
      context_.note(part.gpu.id + ": its NUMA node is not known, so its host memory lies anywhere");
    }
  }
}

// The ports at the upper ends of what is measured, so that the links have two ends.
void Bandwidth::describe() {
  std::vector<std::string> addresses;
  for (const GpuPart& part : session_->parts()) {
    if (!part.pci || part.pci->port.empty()) continue;
    for (const PciDevice* port = find_pci(all_, part.pci->port); port != nullptr; port = find_pci(all_, port->parent)) {
      if (std::ranges::count(addresses, port->address) > 0) break;
      addresses.push_back(port->address);
    }
  }
  std::ranges::sort(addresses);
  for (const std::string& address : addresses) {
    const PciDevice& port = *find_pci(all_, address);
    context_.device({.id = pci_id(address), .kind = port.kind, .name = {}, .parent = pci_parent_id(port), .facts = {}});
  }
}

Counters Bandwidth::read_counters(const GpuPart& part) {
  Counters now;
  if (nvml_) {
    if (const Nvml::Found found = nvml_->by_pci(part.gpu.address); found.gpu) now.replays = found.gpu->pcie_replays();
  }
  if (part.pci) now.aer = aer_correctable(context_.sysroot(), *part.pci);
  return now;
}

void Bandwidth::say(const std::optional<Estimate>& figure, const std::string& metric, const GpuPart& part) {
  if (!figure) return;
  const int directions = metric == "both" ? 2 : 1;
  context_.measure(to_measurement(*figure, metric, part.gpu.id, "GB/s", directions));
}

void Bandwidth::measure_alone(GpuPart& part) {
  if (part.is_lost) return;
  const auto h2d = session_->measure({part.h2d.get()}).lanes.front();
  say(h2d, "h2d", part);
  if (part.is_lost) return;
  const auto d2h = session_->measure({part.d2h.get()}).lanes.front();
  say(d2h, "d2h", part);
  if (h2d && d2h) {
    alone_[part.gpu.id] = {h2d->median / kGiga, d2h->median / kGiga};
    if (part.pci && !part.pci->port.empty()) {
      context_.link({.from = pci_id(part.pci->port), .to = part.gpu.id, .kind = "pcie",
                     .facts = {{"h2d_gbs", h2d->median / kGiga}, {"d2h_gbs", d2h->median / kGiga}}});
    }
  }
  if (part.is_lost || (phases_ != "all" && phases_ != "alone")) return;
  const LaneFigures both = session_->measure({part.h2d.get(), part.d2h.get()});
  say(both.lanes[0], "both_h2d", part);
  say(both.lanes[1], "both_d2h", part);
  say(both.sum, "both", part);
  measure_far(part);
}

void Bandwidth::measure_far(GpuPart& part) {
  const int node = far_[part.gpu.index];
  if (node < 0 || !context_.param<bool>("far")) return;
  const auto far = session_->measure_on_node(part, node);
  say(far[0], "h2d_far", part);
  say(far[1], "d2h_far", part);
}

void Bandwidth::measure_latency(GpuPart& part, int node, const char* metric, const std::vector<std::uint64_t>& cycle,
                                std::map<int, std::unique_ptr<HostChase>>& by_node) {
  session_->guarded(part, [&] {
    std::unique_ptr<HostChase>& chase = by_node[node];
    if (!chase) chase = std::make_unique<HostChase>(cycle, node, part.gpu.index);
    session_->count_pages(part, chase->memory());
    if (const auto figure = chase->measure(part.gpu)) {
      context_.measure(to_step_time(*figure, metric, part.gpu.id));
    } else {
      context_.fault(part.gpu.id, "data-mismatch",
                     "GPU " + std::to_string(part.gpu.index) + ", loads from the host's memory on node " +
                         std::to_string(node) + ": a walk of known length ended at the wrong place");
    }
  });
}

void Bandwidth::measure_latency() {
  std::size_t largest_cache = 0;
  for (const GpuPart& part : session_->parts()) largest_cache = std::max(largest_cache, part.gpu.l2_bytes);
  // Twice what the GPU could keep, unless memory is short.
  const std::size_t bytes = std::min(2 * largest_cache, kRing * chunk_);
  const auto cycle = random_cycle(std::max<std::size_t>(bytes / kCycleStride, 2), kCycleSeed);
  std::map<int, std::unique_ptr<HostChase>> by_node;
  for (GpuPart& part : session_->parts()) {
    measure_latency(part, near_[part.gpu.index], "latency", cycle, by_node);
    const int far = far_[part.gpu.index];
    if (far >= 0 && context_.param<bool>("far")) measure_latency(part, far, "latency_far", cycle, by_node);
  }
}

double Bandwidth::measure_together(const std::vector<GpuPart*>& parts, Direction direction, const std::string& suffix) {
  const bool is_h2d = direction == Direction::h2d;
  const std::string name = std::string(is_h2d ? "h2d" : "d2h") + suffix;
  std::vector<CopyLane*> lanes;
  for (GpuPart* part : parts) lanes.push_back(part->is_lost ? nullptr : (is_h2d ? part->h2d : part->d2h).get());
  const LaneFigures figures = session_->measure(lanes);
  double sum = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!figures.lanes[i]) continue;
    const double rate = figures.lanes[i]->median / kGiga;
    sum += rate;
    say(figures.lanes[i], name, *parts[i]);
    const auto alone = alone_.find(parts[i]->gpu.id);
    if (alone == alone_.end()) continue;
    context_.measure(name + "_share", parts[i]->gpu.id, 100 * rate / (is_h2d ? alone->second.first : alone->second.second));
  }
  return sum;
}

void Bandwidth::measure_uplinks() {
  std::vector<std::string> addresses;
  for (const GpuPart& part : session_->parts()) addresses.push_back(part.gpu.address);
  std::size_t shared = 0;
  for (const Uplink& uplink : uplinks(all_, addresses)) {
    if (uplink.gpus.size() < 2) continue;
    ++shared;
    std::vector<GpuPart*> parts;
    for (const std::size_t i : uplink.gpus) parts.push_back(&session_->parts()[i]);
    const auto is_lost = [](const GpuPart* part) { return part->is_lost; };
    if (std::ranges::count_if(parts, is_lost) + 1 >= std::ssize(parts)) continue;  // one alone shares nothing
    const std::string id = pci_id(uplink.device);
    const double h2d = measure_together(parts, Direction::h2d, "_switch");
    const double d2h = measure_together(parts, Direction::d2h, "_switch");
    // Without one of its GPUs the sum says nothing of the uplink.
    if (std::ranges::any_of(parts, is_lost)) continue;
    context_.measure("uplink_h2d", id, h2d);
    context_.measure("uplink_d2h", id, d2h);
    context_.link({.from = pci_id(uplink.root_port), .to = id, .kind = "pcie", .facts = {{"h2d_gbs", h2d}, {"d2h_gbs", d2h}}});
  }
  if (shared == 0) context_.note("no two GPUs share an uplink, so there is nothing to measure at once under a switch");
}

void Bandwidth::measure_node() {
  std::vector<GpuPart*> parts;
  for (GpuPart& part : session_->parts()) parts.push_back(&part);
  const double h2d = measure_together(parts, Direction::h2d, "_all");
  const double d2h = measure_together(parts, Direction::d2h, "_all");
  if (h2d > 0) context_.measure("h2d_total", "", h2d);
  if (d2h > 0) context_.measure("d2h_total", "", d2h);
}

void Bandwidth::report_end(GpuPart& part, const Counters& before) {
  const std::string& id = part.gpu.id;
  context_.measure("h2d_errors", id, static_cast<double>(part.wrong[0]));
  context_.measure("d2h_errors", id, static_cast<double>(part.wrong[1]));
  context_.measure("copies", id, static_cast<double>(part.copies[0] + part.copies[1]));
  if (part.pages_asked > 0) context_.measure("pages_misplaced", id, static_cast<double>(part.pages_misplaced));
  if (part.under_load.has_seen()) {
    context_.measure("width_under_load", id, static_cast<double>(part.under_load.lowest().width_lanes));
    context_.measure("speed_under_load", id, part.under_load.lowest().speed_gts);
    if (part.under_load.varied()) {
      context_.note(id + ": its link changed while copies ran, between " + to_text(part.under_load.lowest()) + " and " +
                    to_text(part.under_load.highest()));
    }
  }
  const Counters after = read_counters(part);
  if (before.replays && after.replays) {
    context_.measure("replays", id, static_cast<double>(*after.replays - *before.replays));
  }
  if (before.aer && after.aer) context_.measure("link_errors_corrected", id, static_cast<double>(*after.aer - *before.aer));
}

void Bandwidth::run() {
  const DurationBounds bounds{nanoseconds(context_, "at_least"), nanoseconds(context_, "at_most")};
  std::vector<Gpu> gpus = visible_gpus(context_, context_.param<std::string>("gpus"));
  describe_gpus(context_, gpus);
  chunk_ = choose_chunk(context_, gpus);
  if (!nvml_) context_.note("replays are not counted: " + no_nvml_);

  session_ = std::make_unique<CopySession>(context_, gpus, all_, CopyPattern(chunk_), bounds);
  std::vector<GpuPart>& parts = session_->parts();
  describe();
  place(parts);
  std::vector<Counters> before;
  for (GpuPart& part : parts) {
    session_->prepare(part, near_[part.gpu.index]);
    before.push_back(read_counters(part));
  }
  for (GpuPart& part : parts) measure_alone(part);
  session_->forget_far();
  if (is_all() || phases_ == "alone") measure_latency();
  if (is_all() || phases_ == "switch") measure_uplinks();
  if (is_all() || phases_ == "node") measure_node();
  for (std::size_t i = 0; i < parts.size(); ++i) report_end(parts[i], before[i]);
}

}  // namespace
}  // namespace rackproof

void rackproof_run(rackproof::Context& context) { rackproof::Bandwidth(context).run(); }
