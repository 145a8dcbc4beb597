// nccl.allreduce: the collective at every size, and what is made of its times, its data and its end.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/keep.h"
#include "checks/api/ranks.h"
#include "checks/nccl/communicators.h"
#include "checks/nccl/findings.h"
#include "checks/nccl/groups.h"
#include "checks/nccl/node_report.h"
#include "checks/nccl/room.h"
#include "checks/nccl/rounds.h"
#include "checks/nccl/settings.h"
#include "checks/nccl/size_results.h"

namespace rackproof {
namespace {

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(std::max<std::int64_t>(1, std::llround(seconds * 1000)));
}

class Node {
 public:
  Node(Context& context, std::vector<Gpu> gpus)
      : context_(context),
        gpus_(std::move(gpus)),
        what_(parse_collective(context.param<std::string>("collective"))),
        findings_(context, gpus_, what_) {}

  void run() {
    const auto at_most = milliseconds(context_.param<double>("timeout"));
    const std::vector<std::size_t> wanted = parse_sizes(context_.param<std::string>("sizes"));
    const auto ranks = static_cast<int>(gpus_.size());
    context_.measure("ranks", "", ranks);
    std::optional<Trouble> trouble;
    try {
      std::optional<DumpFolder> folder(std::in_place);
      comms_ = std::make_unique<Communicators>(world_of_this_node(gpus_.size()), gpus_,
                                               milliseconds(context_.param<double>("init_timeout")), at_most);
      context_.note(std::string(to_text(what_)) + " over " + std::to_string(ranks) + " GPUs, NCCL " +
                    nccl_version_text());
      budget_ = report_node(context_, *folder, what_, ranks).budget;
      folder.reset();
      const SizePlan plan = plan_for(wanted);
      largest_ = plan.measured.back();
      rounds_ = std::make_unique<Rounds>(gpus_, *comms_, what_, Rounds::need(what_, ranks, plan.measured.back()),
                                         static_cast<std::uint64_t>(context_.param<std::int64_t>("seed")) * 2, at_most);
      for (const std::size_t bytes : plan.measured) {
        results_.push_back({bytes, {}, {}, {}});
        measure(bytes, false, results_.back());
      }
      if (has_in_place(what_)) {
        SizeResult in_place{plan.measured.back(), {}, {}, {}};
        measure(in_place.asked, true, in_place);
        context_.measure(bus_rate(in_place.estimate, "busbw_inplace", bus_factor(what_, ranks)));
      }
      return figures();
    } catch (const Stopped& stopped) {
      findings_.say_stopped(stopped);
    } catch (const CudaError& error) {
      trouble = findings_.say_lost(error);
    } catch (const NcclError& error) {
      trouble = findings_.say_failed(error);
    } catch (const Trouble& other) {
      trouble = other;
    }
    // What was measured until then stands.
    figures();
    leave(at_most);
    if (trouble) throw *trouble;
  }

 private:
  SizePlan plan_for(const std::vector<std::size_t>& wanted) {
    const auto need = [&](std::size_t bytes) { return Rounds::need(what_, static_cast<int>(gpus_.size()), bytes); };
    SizePlan plan = plan_sizes(wanted, room_of(gpus_, need(wanted.front())), need);
    note_left_out(context_, plan);
    return plan;
  }

  void measure(std::size_t bytes, bool is_in_place, SizeResult& result) {
    context_.note(std::string(to_text(what_)) + ", " + size_text(bytes) + (is_in_place ? ", in place" : ""));
    findings_.set_size(size_text(bytes) + (is_in_place ? ", in place" : ""));
    findings_.say_mismatches(rounds_->begin(bytes, is_in_place));
    has_verified_ = true;
    result.extents = rounds_->extents();
    std::size_t next = 0;
    result.estimate = sample(
        [&] {
          if (next == result.times.size()) {
            Round round = rounds_->run();
            findings_.say_mismatches(round);
            std::ranges::move(round.ns, std::back_inserter(result.times));
          }
          return Sample{static_cast<std::int64_t>(result.extents.bytes),
                        std::max<std::int64_t>(1, whole_time(result.times[next++]))};
        },
        bounds_of_size());
  }

  // After what cannot go on: nothing is given back, since a GPU that hangs would not let it go.
  void leave(std::chrono::milliseconds at_most) {
    if (comms_ != nullptr && !comms_->abort(at_most)) context_.note("NCCL did not come back from its abort either");
    keep_for_good(rounds_);
    keep_for_good(comms_);
  }

  void figures() {
    const double factor = bus_factor(what_, static_cast<int>(gpus_.size()));
    for (std::size_t i = 0; has_verified_ && i < gpus_.size(); ++i) {
      context_.measure("element_errors", gpus_[i].id, static_cast<double>(findings_.errors()[i]));
    }
    const auto busbw = report_sizes(context_, "", results_, factor, largest_);
    if (busbw) figures_of_largest(results_.back(), *busbw);
  }

  void figures_of_largest(const SizeResult& largest, const Measurement& busbw) {
    if (budget_) context_.measure("budget_share", "", busbw.value / budget_->gbs * 100);
    context_.measure("skew", "", median_skew_ns(largest.times) / 1e3);
    const std::vector<double> late = median_lateness_ns(largest.times);
    const std::vector<double> times = median_time_ns(largest.times);
    for (std::size_t i = 0; i < gpus_.size(); ++i) {
      context_.measure("lateness", gpus_[i].id, late[i] / 1e3);
      context_.measure("time", gpus_[i].id, times[i] / 1e3);
    }
  }

  Context& context_;
  const std::vector<Gpu> gpus_;
  const Collective what_;
  Findings findings_;
  std::unique_ptr<Communicators> comms_;  // outlives rounds_, which uses it
  std::unique_ptr<Rounds> rounds_;
  std::optional<NcclBudget> budget_;
  std::vector<SizeResult> results_;
  bool has_verified_ = false;  // one collective at the least: before, there is no count of errors
  std::size_t largest_ = 0;  // size that is planned
};

}  // namespace
}  // namespace rackproof

void rackproof_run(rackproof::Context& context) {
  rackproof::note_nccl_settings(context);
  if (rackproof::Ranks::are_several()) return rackproof::measure_groups(context);
  const auto gpus = rackproof::visible_gpus(context, context.param<std::string>("gpus"), rackproof::KernelLoading::when_needed);
  if (gpus.size() < 2) throw rackproof::Skip{"a collective needs two GPUs, and there is one"};
  rackproof::describe_gpus(context, gpus);
  rackproof::Node(context, gpus).run();
}
