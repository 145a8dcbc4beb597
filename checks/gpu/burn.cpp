// gpu.burn: products of matrices on all GPUs at once, every one of them verified.
#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "checks/api/check.h"
#include "checks/api/quantity.h"
#include "checks/gpu/burn_compare.h"
#include "checks/gpu/burn_load.h"
#include "checks/gpu/burn_report.h"
#include "checks/gpu/burn_setup.h"
#include "checks/gpu/cuda_wait.h"

void rackproof_run(rackproof::Context&);

namespace rackproof {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 30s;

struct Wishes {
  std::string precisions;
  double duration_s = 0;
  int rounds = 1;
  std::int64_t size = 0;
  LoadShape shape = LoadShape::steady;
  double period_s = 1;
  double hottest_c = 0;
};

std::int64_t size_from(const std::string& text) {
  if (text == "auto") return 0;
  std::int64_t size = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (code != std::errc{} || end != text.data() + text.size() || size < 256 || size > 32768 || size % 256 != 0) {
    throw Trouble{"the parameter 'size' is '" + text + "', neither auto nor a multiple of 256 up to 32768"};
  }
  return size;
}

Wishes wishes_of(const Context& context) {
  Wishes wishes;
  wishes.precisions = context.param<std::string>("precisions");
  wishes.duration_s = context.param<double>("duration");
  wishes.rounds = static_cast<int>(std::clamp<std::int64_t>(context.param<std::int64_t>("rounds"), 1, 10000));
  wishes.size = size_from(context.param<std::string>("size"));
  const std::string load = context.param<std::string>("load");
  wishes.shape = load == "steady"           ? LoadShape::steady
                 : load == "pulse_in_phase" ? LoadShape::in_phase
                                            : LoadShape::out_of_phase;
  wishes.period_s = context.param<double>("period");
  wishes.hottest_c = context.param<double>("max_temperature");
  if (!(wishes.duration_s > 0) || wishes.duration_s > 86400) {
    throw Trouble{"the parameter 'duration' is not between 0 s and 24 h"};
  }
  if (!(wishes.period_s >= 0.001) || wishes.period_s > 9) {
    throw Trouble{"the parameter 'period' is not between 1 ms and 9 s"};
  }
  return wishes;
}

// Same architecture and size of chip: their products must be the same to the bit.
using Kind = std::pair<int, int>;
Kind kind_of(const Gpu& gpu) { return {gpu.compute, gpu.multiprocessors}; }

// One kind of GPU in one precision.
struct Group {
  BurnSetup setup;
  std::size_t first = 0;  // its runs among all
  std::size_t count = 0;
};

std::vector<BurnRun> start(Context& context, BurnLoad& load, const Precision& precision, int number, const Wishes& wishes,
                           const std::map<Kind, std::vector<BurnMember*>>& kinds, std::vector<Group>& groups) {
  groups.clear();
  groups.reserve(kinds.size());  // runs keep references to their setup
  std::vector<BurnRun> runs;
  for (const auto& [kind, members] : kinds) {
    const auto wanted = chosen_precisions(wishes.precisions, kind.first);
    if (std::ranges::count(wanted, &precision) == 0) continue;
    std::vector<BurnMember*> able;
    std::ranges::copy_if(members, std::back_inserter(able), [](const BurnMember* member) { return !member->is_out; });
    if (able.empty()) continue;
    const BurnWish wish{wishes.size, seeds_of(number, 0), wishes.duration_s / wishes.rounds,
                        wishes.shape == LoadShape::steady ? 0 : wishes.period_s / 2};
    const std::optional<BurnSetup> setup = set_up(context, precision, able, wish);
    if (!setup) continue;
    groups.push_back({*setup, runs.size(), 0});
    for (BurnMember* const member : able) {
      if (member->is_out) continue;
      BurnRun run(*member, groups.back().setup);
      load.guarded(run, [&] { run.burning = std::make_unique<BurningGpu>(member->gpu, run.setup); });
      if (!run.is_lost) runs.push_back(std::move(run));
    }
    groups.back().count = runs.size() - groups.back().first;
    const BurnPlan& plan = setup->plan;
    context.note(std::string(precision.name) + ": " + std::to_string(plan.size) + " cubed, " + std::to_string(plan.batch) +
                 " products a call, " + std::to_string(plan.calls) + " calls a beat, on " +
                 std::to_string(groups.back().count) + " GPUs");
  }
  return runs;
}

void check_entries(BurnLoad& load, std::span<BurnRun> runs, const BurnSetup& setup, const Seeds& seeds) {
  const Precision& precision = *setup.precision;
  std::vector<BurnRun*> looked_at;
  std::vector<const CudaEvent*> landed;
  for (BurnRun& run : runs) {
    if (run.tally.count() == 0) continue;  // too hot already before this round
    load.guarded(run, [&] {
      run.burning->enqueue_entries(seeds);
      looked_at.push_back(&run);
      landed.push_back(&run.burning->entries_landed());
    });
  }
  const std::vector<Reference> expected = references(precision, seeds, setup.plan.size, setup.plan.batch);
  const std::vector<WaitResult> results = wait_for_all(landed, kPatience);
  for (std::size_t i = 0; i < looked_at.size(); ++i) {
    BurnRun& run = *looked_at[i];
    if (results[i].how != Waited::done) {
      const bool is_late = results[i].how == Waited::late;
      load.drop(run, is_late ? "gpu-hung" : "gpu-lost", is_late ? "its last products did not end" : results[i].why);
      continue;
    }
    const std::vector<std::uint64_t> found = run.burning->read_entries();
    std::size_t first = 0;
    const std::int64_t wrong = count_wrong(precision, found, expected, first);
    if (wrong > 0 && run.reference_errors == 0) {
      const Entry entry =
          entry_at(seeds.entries, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(setup.plan.size),
                   static_cast<std::uint32_t>(setup.plan.batch));
      run.first_reference_error = "row " + std::to_string(entry.row) + ", column " + std::to_string(entry.column) + ": " +
                                  shortest(entry_value(precision.out, found[first])) + " for " +
                                  shortest(expected[first].value) + ", which may be off by " +
                                  shortest(expected[first].tolerance);
    }
    run.reference_errors += wrong;
  }
}

void prepare(BurnLoad& load, std::span<BurnRun> runs, const Seeds& seeds) {
  std::vector<BurnRun*> prepared;
  std::vector<const CudaEvent*> ends;
  for (BurnRun& run : runs) {
    load.guarded(run, [&] {
      load.warm_up(run);
      run.burning->prepare(seeds);
      prepared.push_back(&run);
      ends.push_back(&run.burning->entries_landed());
    });
  }
  const std::vector<WaitResult> results = wait_for_all(ends, kPatience);
  for (std::size_t i = 0; i < prepared.size(); ++i) {
    if (results[i].how == Waited::done) continue;
    const bool is_late = results[i].how == Waited::late;
    load.drop(*prepared[i], is_late ? "gpu-hung" : "gpu-lost", is_late ? "its first products did not end" : results[i].why);
  }
}

// True when anything was measured.
bool burn(Context& context, const Precision& precision, int number, const Wishes& wishes,
          const std::map<Kind, std::vector<BurnMember*>>& kinds) {
  BurnLoad load(context, wishes.shape, wishes.period_s);
  std::vector<Group> groups;
  std::vector<BurnRun> runs = start(context, load, precision, number, wishes, kinds, groups);
  if (runs.empty()) return false;
  const auto of = [&](const Group& group) { return std::span(runs).subspan(group.first, group.count); };
  prepare(load, runs, seeds_of(number, 0));
  for (int round = 0; round < wishes.rounds; ++round) {
    const Seeds seeds = seeds_of(number, round);
    for (BurnRun& run : runs) load.guarded(run, [&] { run.burning->fill(seeds); });
    load.run(runs, wishes.duration_s / wishes.rounds);
    for (const Group& group : groups) {
      check_entries(load, of(group), group.setup, seeds);
      compare_round(context, load, of(group), seeds);
    }
  }
  for (const Group& group : groups) report_precision(context, of(group), wishes.shape == LoadShape::steady);
  return true;
}

void measure_burn(Context& context) {
  const Wishes wishes = wishes_of(context);
  static_cast<void>(chosen_precisions(wishes.precisions, 0));  // a word that names none is said before anything starts
  const std::vector<Gpu> gpus = visible_gpus(context, context.param<std::string>("gpus"), KernelLoading::when_needed);
  describe_gpus(context, gpus);
  context.note("random operands: sums of four uniform numbers, nearly normal, deviation 0.577; cuBLAS " + cublas_version());

  const BurnSensors sensors(context);
  std::vector<BurnMember> members;
  for (const Gpu& gpu : gpus) members.push_back({gpu, GpuSensors(sensors.of(gpu.address), wishes.hottest_c)});
  std::map<Kind, std::vector<BurnMember*>> kinds;
  for (BurnMember& member : members) kinds[kind_of(member.gpu)].push_back(&member);

  bool has_any = false;
  int number = 0;
  for (const Precision& precision : precisions()) has_any = burn(context, precision, ++number, wishes, kinds) || has_any;
  for (const BurnMember& member : members) report_member(context, member);
  if (!has_any) throw Trouble{"no GPU could compute in any precision of '" + wishes.precisions + "'"};
}

}  // namespace
}  // namespace rackproof

void rackproof_run(rackproof::Context& context) { rackproof::measure_burn(context); }
