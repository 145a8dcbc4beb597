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
#include "checks/api/quantity.h"
#include "checks/nccl/alpha_beta.h"
#include "checks/nccl/communicators.h"
#include "checks/nccl/figures.h"
#include "checks/nccl/findings.h"
#include "checks/nccl/node_report.h"
#include "checks/nccl/rounds.h"
#include "checks/nccl/sizes.h"

namespace rackproof {
namespace {

constexpr std::int64_t kLongestNs = 60'000'000'000;  // of samples of one size

constexpr std::pair<std::size_t, const char*> kFixedSizes[] = {
    {std::size_t{1} << 20, "busbw_1mib"},
    {std::size_t{128} << 20, "busbw_128mib"},
    {std::size_t{1} << 30, "busbw_1gib"},
    {std::size_t{8} << 30, "busbw_8gib"},
};

struct SizeResult {
  std::size_t asked = 0;
  Extents extents;
  Estimate estimate;
  std::vector<RankTimes> times;
};

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
      budget_ = report_node(context_, *folder, what_, ranks);
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
    const auto ranks = static_cast<int>(gpus_.size());
    std::size_t room = static_cast<std::size_t>(-1);
    for (const Gpu& gpu : gpus_) {
      use_gpu(gpu.index);
      std::size_t free = 0;
      std::size_t all = 0;
      cuda_call(cudaMemGetInfo(&free, &all), "cudaMemGetInfo", gpu.index);
      // NCCL takes more when it first uses an algorithm.
      const std::size_t kept = all / 20 + Rounds::need_for_all(gpu);
      const std::size_t here = free > kept ? free - kept : 0;
      if (here < Rounds::need(what_, ranks, wanted.front())) {
        throw Trouble{gpu.id + " has only " + to_text(readable({static_cast<double>(free), find_unit("B")})) +
                      " of free memory"};
      }
      room = std::min(room, here);
    }
    const SizePlan plan =
        plan_sizes(wanted, room, [&](std::size_t bytes) { return Rounds::need(what_, ranks, bytes); });
    std::string text;
    for (const std::size_t bytes : plan.left_out) text += (text.empty() ? "" : ", ") + size_text(bytes);
    if (!text.empty()) {
      context_.note("no room for " + text +
                    (plan.added > 0 ? "; " + size_text(plan.added) + " is the largest size" : ""));
    }
    return plan;
  }

  void measure(std::size_t bytes, bool is_in_place, SizeResult& result) {
    context_.note(std::string(to_text(what_)) + ", " + size_text(bytes) + (is_in_place ? ", in place" : ""));
    findings_.set_size(size_text(bytes) + (is_in_place ? ", in place" : ""));
    findings_.say_mismatches(rounds_->begin(bytes, is_in_place));
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
        {.at_most_ns = kLongestNs});
  }

  // After what cannot go on: nothing is given back, since a GPU that hangs would not let it go.
  void leave(std::chrono::milliseconds at_most) {
    if (comms_ != nullptr && !comms_->abort(at_most)) context_.note("NCCL did not come back from its abort either");
    static_cast<void>(rounds_.release());
    static_cast<void>(comms_.release());
  }

  void figures() {
    const double factor = bus_factor(what_, static_cast<int>(gpus_.size()));
    for (std::size_t i = 0; i < gpus_.size(); ++i) {
      context_.measure("element_errors", gpus_[i].id, static_cast<double>(findings_.errors()[i]));
    }
    std::erase_if(results_, [](const SizeResult& one) { return one.estimate.samples.n == 0; });  // stopped on the way
    if (results_.empty()) return;
    std::vector<TimedSize> points;
    for (const SizeResult& one : results_) {
      const auto bytes = static_cast<double>(one.extents.bytes);
      points.push_back({bytes, bytes / one.estimate.median * 1e9});
      for (const auto& [size, metric] : kFixedSizes) {
        if (one.asked == size) context_.measure(bus_rate(one.estimate, metric, factor));
      }
    }
    context_.measure(time_of(results_.front().estimate, "latency", results_.front().extents.bytes));
    if (results_.back().asked != largest_) return;
    if (const auto line = fit_alpha_beta(points)) {
      context_.measure("alpha", "", line->alpha_ns / 1e3);
      context_.measure("asymptotic", "", factor / line->beta_ns);
    }
    figures_of_largest(results_.back(), factor);
  }

  void figures_of_largest(const SizeResult& largest, double factor) {
    const Measurement busbw = bus_rate(largest.estimate, "busbw", factor);
    context_.measure(to_measurement(largest.estimate, "algbw", "", "GB/s"));
    context_.measure(busbw);
    context_.measure("largest_size", "", static_cast<double>(largest.extents.bytes) / (1 << 20));
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
  std::size_t largest_ = 0;  // size that is planned
};

}  // namespace
}  // namespace rackproof

void rackproof_run(rackproof::Context& context) {
  const auto gpus = rackproof::visible_gpus(context, context.param<std::string>("gpus"));
  if (gpus.size() < 2) throw rackproof::Skip{"a collective needs two GPUs, and there is one"};
  rackproof::describe_gpus(context, gpus);
  rackproof::Node(context, gpus).run();
}
