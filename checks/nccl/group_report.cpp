#include "checks/nccl/group_report.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "checks/api/quantity.h"
#include "checks/nccl/node_report.h"

namespace rackproof {
namespace {

// With a port over which data can go: "4: ACTIVE".
std::size_t active_adapters(const SysRoot& root) {
  const std::string adapters = "/sys/class/infiniband";
  const std::vector<std::string> all = root.list(adapters);
  return static_cast<std::size_t>(std::ranges::count_if(all, [&](const std::string& adapter) {
    const std::string ports = adapters + "/" + adapter + "/ports";
    return std::ranges::any_of(root.list(ports), [&](const std::string& port) {
      return root.text(ports + "/" + port + "/state").value_or("").starts_with("4:");
    });
  }));
}

}  // namespace

GroupReport::GroupReport(GroupNode& node, const GroupPlan& plan, Collective what)
    : node_(node),
      plan_(plan),
      what_(what),
      id_("group:" + std::to_string(plan.number) + ":" + plan.group.front().node) {}

void GroupReport::begin() {
  if (!plan_.is_led) return;
  std::string members;
  for (const Member& one : plan_.group) members += (members.empty() ? "" : ",") + one.node;
  node_.context.device({.id = id_,
                        .kind = "group",
                        .name = {},
                        .parent = {},
                        .facts = {{"members", members}, {"round", static_cast<std::int64_t>(plan_.number)}}});
}

void GroupReport::started() {
  node_.context.note("round " + std::to_string(plan_.number) + ": " + std::string(to_text(what_)) + " over " +
                     std::to_string(plan_.world.ranks) + " GPUs of " + std::to_string(plan_.group.size()) +
                     (plan_.group.size() == 1 ? " node" : " nodes") + ", NCCL " + nccl_version_text());
  if (!plan_.is_led) return;
  node_.context.measure("ranks", id_, plan_.world.ranks);
  // NCCL's first rank, which is ours, writes what it found.
  const NodeFound found = report_node_of_group(node_.context, node_.folder, !std::exchange(node_.is_described, true));
  if (plan_.group.size() < 2) return;
  budget_ = found.budget;
  measure_budget(node_.context, id_, budget_);
  adapters_ = found.adapters > 0 ? found.adapters : active_adapters(node_.context.sysroot());
  node_.context.measure("nics", id_, static_cast<double>(adapters_));
}

void GroupReport::reached(std::vector<SizeResult>& results, std::size_t largest, double errors) {
  const std::vector<double> late = median_lateness_ns(results.back().times);
  const std::vector<double> times = median_time_ns(results.back().times);
  for (std::size_t i = 0; i < node_.gpus.size(); ++i) {
    const auto rank = static_cast<std::size_t>(plan_.world.first) + i;
    GpuFigures& one = node_.figures[i];
    one.is_timed = true;
    one.lateness_us = std::max(one.lateness_us, late[rank] / 1e3);
    one.time_us = std::max(one.time_us, times[rank] / 1e3);
  }
  if (!plan_.is_led) return;
  node_.context.measure("reached", id_, 1);
  node_.context.measure("verify_errors", id_, errors);
  node_.context.measure("skew", id_, median_skew_ns(results.back().times) / 1e3);
  const auto last = std::ranges::max_element(late) - late.begin();
  node_.context.note("rank " + std::to_string(last) + ", a GPU of " + node_of(static_cast<int>(last)) +
                     ", is the last to enter, by " + shortest(std::round(late[static_cast<std::size_t>(last)]) / 1e3) +
                     " us");
  const auto busbw =
      report_sizes(node_.context, id_, results, bus_factor(what_, plan_.world.ranks), largest);
  if (!busbw || plan_.group.size() < 2) return;
  if (budget_) node_.context.measure("budget_share", id_, busbw->value / budget_->gbs * 100);
  adapters(*busbw);
}

void GroupReport::adapters(const Measurement& busbw) {
  const double factor = leaving_factor(what_, plan_.world.ranks, static_cast<int>(node_.gpus.size()));
  if (adapters_ == 0 || factor <= 0) return;
  Measurement each = busbw;
  each.metric = "busbw_per_nic";
  const double share = factor / static_cast<double>(adapters_);
  each.value *= share;
  if (each.samples) {
    each.samples->low *= share;
    each.samples->high *= share;
    each.samples->worst *= share;
  }
  node_.context.measure(each);
}

void GroupReport::failed(const std::string& why, std::optional<double> errors) {
  node_.context.note("round " + std::to_string(plan_.number) + ": " + why);
  if (!plan_.is_led) return;
  node_.context.measure("reached", id_, 0);
  if (errors) node_.context.measure("verify_errors", id_, *errors);
}

std::string GroupReport::node_of(int rank) const {
  std::string node;
  for (std::size_t i = 0; i < plan_.first_ranks.size(); ++i) {
    if (plan_.first_ranks[i] <= rank) node = plan_.group[i].node;
  }
  return node;
}

}  // namespace rackproof
