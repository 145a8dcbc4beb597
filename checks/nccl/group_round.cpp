#include "checks/nccl/group_round.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <utility>

#include "checks/api/keep.h"
#include "checks/nccl/findings.h"
#include "checks/nccl/group_report.h"
#include "checks/nccl/room.h"
#include "checks/nccl/rounds.h"
#include "checks/nccl/size_results.h"

namespace rackproof {
namespace {

class GroupRound {
 public:
  GroupRound(GroupNode& node, const GroupPlan& plan)
      : node_(node),
        plan_(plan),
        what_(parse_collective(node.context.param<std::string>("collective"))),
        at_most_(std::chrono::milliseconds(
            std::max<std::int64_t>(1, std::llround(node.context.param<double>("timeout") * 1000)))),
        findings_(node.context, node.gpus, what_),
        report_(node, plan, what_) {
    findings_.set_ranks(plan.world.first, plan.world.ranks);
  }

  void run() {
    report_.begin();
    if (!plan_.missing.empty()) return report_.failed(list(plan_.missing));
    if (node_.is_lost) return report_.failed("a GPU of this node is lost");
    if (plan_.world.ranks < 2) return report_.failed("a collective needs two GPUs, and there is one");
    std::string why;
    try {
      measure_all();
      rounds_.reset();
      comms_.reset();
      report_.reached(results_, largest_, errors_);
    } catch (const Stopped& stopped) {
      findings_.say_stopped(stopped);
      why = "the collective does not end" + behind(stopped.progress);
    } catch (const CudaError& error) {
      why = error.what();
      keep(findings_.say_lost(error));
    } catch (const NcclError& error) {
      why = error.what() + behind(rounds_ == nullptr ? std::vector<RankProgress>() : rounds_->progress());
      // Its own trouble only when its GPUs say so: NCCL cannot tell whose fault it is that ranks do not come together.
      static_cast<void>(findings_.say_failed(error));
    } catch (const Trouble& trouble) {
      why = trouble.why;
    }
    if (!why.empty()) {
      report_.failed(why, has_verified_ ? std::optional(errors_) : std::nullopt);
      give_up();
    }
    for (std::size_t i = 0; i < node_.gpus.size(); ++i) {
      node_.figures[i].is_verified |= has_verified_;
      node_.figures[i].errors += static_cast<double>(findings_.errors()[i]);
    }
  }

 private:
  static std::string list(const std::vector<std::string>& all) {
    std::string text;
    for (const std::string& one : all) text += (text.empty() ? "" : "; ") + one;
    return text;
  }

  void keep(std::optional<Trouble> trouble) {
    if (trouble && !node_.trouble) node_.trouble = std::move(trouble);
  }

  void measure_all() {
    node_.folder.clear();
    start();
    report_.started();
    const SizePlan sizes = agree_on_sizes();
    largest_ = sizes.measured.back();
    make_rounds(Rounds::need(what_, plan_.world.ranks, largest_));
    for (const std::size_t bytes : sizes.measured) {
      results_.push_back({bytes, {}, {}, {}});
      measure(results_.back());
    }
  }

  void start() {
    if (!plan_.is_led) node_.calls.call(plan_.place, {plan_.number, plan_.own, std::nullopt});
    try {
      comms_ = std::make_unique<Communicators>(plan_.world, node_.gpus, plan_.to_start, at_most_);
    } catch (const Trouble& trouble) {
      // Only the first member hears who has come.
      const std::string named = plan_.is_led ? waited_for(others(), node_.calls.hear(plan_.number), std::nullopt) : "";
      if (!named.empty()) throw Trouble{trouble.why + ": " + named + " never came"};
      std::string text;
      for (const NamedRank& one : others()) text += (text.empty() ? "" : ", ") + one.node;
      throw Trouble{trouble.why + "; it waited for " + (plan_.group.size() > 2 ? "one of " : "") + text};
    }
  }

  // After a collective that does not end, each member tells the first how far it came.
  std::string behind(const std::vector<RankProgress>& all) {
    if (all.empty()) return {};
    int least = all.front().entered + all.front().left;
    for (const RankProgress& one : all) least = std::min(least, one.is_lost ? 0 : one.entered + one.left);
    if (!plan_.is_led) {
      node_.calls.call(plan_.place, {plan_.number, plan_.own, least});
      return {};
    }
    // All have waited as long, from about the same time on.
    constexpr auto kLater = std::chrono::seconds(2);
    const std::string named = waited_for(others(), node_.calls.hear(plan_.number, others().size(), kLater), least);
    return named.empty() ? "" : ": it waits for " + named;
  }

  std::vector<NamedRank> others() const {
    std::vector<NamedRank> all;
    for (const Member& one : plan_.group) {
      if (one.rank != plan_.own) all.push_back({one.rank, one.node});
    }
    return all;
  }

  void make_rounds(std::size_t memory) {
    rounds_.reset();
    const auto seed = static_cast<std::uint64_t>(node_.context.param<std::int64_t>("seed")) * 2;
    rounds_ = std::make_unique<Rounds>(node_.gpus, *comms_, what_, memory, seed, at_most_);
  }

  // All must measure the same sizes: those for which the GPU with the least room has it.
  SizePlan agree_on_sizes() {
    const auto wanted = parse_sizes(node_.context.param<std::string>("sizes"));
    const auto need = [&](std::size_t bytes) { return Rounds::need(what_, plan_.world.ranks, bytes); };
    std::size_t room = 0;
    try {
      room = room_of(node_.gpus, need(wanted.front()));
    } catch (const Trouble& trouble) {
      keep(trouble);
    }
    make_rounds(16);
    const auto told = tell({static_cast<std::int64_t>(room)});
    const auto least = std::ranges::min_element(told, {}, [](const ToldWords& one) { return one[0]; });
    if (static_cast<std::size_t>((*least)[0]) < need(wanted.front())) {
      throw Trouble{"there is no room for " + size_text(wanted.front()) + " on rank " +
                    std::to_string(least - told.begin()) + ", a GPU of " +
                    report_.node_of(static_cast<int>(least - told.begin()))};
    }
    const SizePlan sizes = plan_sizes(wanted, static_cast<std::size_t>((*least)[0]), need);
    if (plan_.is_led) note_left_out(node_.context, sizes);
    return sizes;
  }

  std::vector<ToldWords> tell(const ToldWords& of_each) {
    return rounds_->tell(std::vector<ToldWords>(node_.gpus.size(), of_each));
  }

  // Puts in place of our ranks' times those of all, so that every rank computes with the same.
  void share(Round& round) {
    constexpr std::size_t kErrors = Rounds::kIterations;
    static_assert(kErrors < kToldWords);
    std::vector<ToldWords> own(node_.gpus.size());
    for (std::size_t i = 0; i < round.ns.size(); ++i) {
      for (std::size_t rank = 0; rank < own.size(); ++rank) own[rank][i] = round.ns[i][rank];
    }
    for (const RankMismatch& one : round.mismatches) {
      own[one.local][kErrors] += static_cast<std::int64_t>(one.wrong.count);
    }
    const std::vector<ToldWords> all = rounds_->tell(own);
    has_verified_ = true;
    for (std::size_t i = 0; i < round.ns.size(); ++i) {
      round.ns[i].clear();
      for (const ToldWords& one : all) round.ns[i].push_back(one[i]);
    }
    for (const ToldWords& one : all) errors_ += static_cast<double>(one[kErrors]);
    findings_.say_mismatches(round, std::ranges::all_of(all, [](const ToldWords& one) { return one[kErrors] > 0; }));
  }

  void measure(SizeResult& result) {
    findings_.set_size(size_text(result.asked));
    if (plan_.is_led) node_.context.note(std::string(to_text(what_)) + ", " + size_text(result.asked));
    Round first = rounds_->begin(result.asked, false);
    share(first);
    result.extents = rounds_->extents();
    std::size_t next = 0;
    result.estimate = sample(
        [&] {
          if (next == result.times.size()) {
            Round round = rounds_->run();
            share(round);
            std::ranges::move(round.ns, std::back_inserter(result.times));
          }
          return Sample{static_cast<std::int64_t>(result.extents.bytes),
                        std::max<std::int64_t>(1, whole_time(result.times[next++]))};
        },
        bounds_of_size());
  }

  // What can be given back is, so that the next round has the memory; a GPU that hangs would not let it go.
  void give_up() {
    for (const Gpu& gpu : node_.gpus) {
      std::size_t free = 0;
      std::size_t all = 0;
      if (cudaSetDevice(gpu.index) != cudaSuccess || cudaMemGetInfo(&free, &all) != cudaSuccess) node_.is_lost = true;
    }
    if (comms_ == nullptr) return;
    const bool is_over = comms_->abort(at_most_);
    if (!is_over) node_.context.note("NCCL did not come back from its abort either");
    if (is_over && !node_.is_lost && (rounds_ == nullptr || rounds_->is_idle_within(at_most_))) {
      rounds_.reset();
      comms_.reset();
      return;
    }
    keep_for_good(rounds_);
    keep_for_good(comms_);
  }

  GroupNode& node_;
  const GroupPlan& plan_;
  const Collective what_;
  const std::chrono::milliseconds at_most_;
  Findings findings_;
  GroupReport report_;
  std::unique_ptr<Communicators> comms_;  // outlives rounds_, which uses it
  std::unique_ptr<Rounds> rounds_;
  std::vector<SizeResult> results_;
  std::size_t largest_ = 0;
  bool has_verified_ = false;
  double errors_ = 0;  // of all ranks
};

}  // namespace

void GroupNode::find_gpus() {
  gpus = visible_gpus(context, context.param<std::string>("gpus"), KernelLoading::when_needed);
  figures.resize(gpus.size());
}

void measure_round(GroupNode& node, const GroupPlan& plan) { GroupRound(node, plan).run(); }

}  // namespace rackproof
