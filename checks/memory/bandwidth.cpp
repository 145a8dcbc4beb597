// memory.bandwidth: what the cores reach when they stream through memory, together and alone.
#include <cstdio>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/memory/caches.h"
#include "checks/memory/control_group.h"
#include "checks/memory/cpus.h"
#include "checks/memory/phase.h"
#include "checks/memory/size_rule.h"

namespace {

using namespace rackproof;

constexpr rackproof_parameter kParameters[] = {
    {"size", "quantity", "0 B", "B",
     "size of each of the three arrays over all cores; 0: four times the last-level caches in front of them"},
    {"at_most", "quantity", "3 s", "s", "longest sampling time for each loop, once on all cores and once on one"},
    {"cores", "choice both|all|one", "both", nullptr, "measure on all cores together, on one core alone, or both"},
    {"kernel", "choice all|copy|triad|read|write", "all", nullptr, "which loops to run"},
    {"instructions", "choice auto|avx512|avx2|portable", "auto", nullptr,
     "what the loops are made of; auto: the widest that the CPU has; portable: no non-temporal stores"},
    {"pages", "choice system|huge", "system", nullptr,
     "system: as the kernel is set up for programs that do not ask; huge: ask for huge pages"},
    {"partial", "boolean", "false", nullptr,
     "measure although an affinity mask or a cpuset leaves out whole NUMA nodes, and with them their memory"},
    {},
};

constexpr rackproof_metric kMetrics[] = {
    {"copy", "GB/s", "higher", "a = b on all cores, 16 bytes an element"},
    {"triad", "GB/s", "higher", "a = b + s * c on all cores, 24 bytes an element"},
    {"read", "GB/s", "higher", "the sum of b on all cores, 8 bytes an element"},
    {"write", "GB/s", "higher", "a = a known sequence on all cores, 8 bytes an element"},
    {"copy_one_core", "GB/s", "higher", "copy on one core alone"},
    {"triad_one_core", "GB/s", "higher", "triad on one core alone"},
    {"read_one_core", "GB/s", "higher", "read on one core alone"},
    {"write_one_core", "GB/s", "higher", "write on one core alone"},
    {"copy_one_node", "GB/s", "higher", "the part of each NUMA node in copy; where there are several nodes"},
    {"triad_one_node", "GB/s", "higher", "the part of each NUMA node in triad"},
    {"read_one_node", "GB/s", "higher", "the part of each NUMA node in read"},
    {"write_one_node", "GB/s", "higher", "the part of each NUMA node in write"},
    {"verify_errors", "count", "lower", "elements that did not hold what was written to them"},
    {"pages_misplaced", "count", "lower", "pages, of those asked about, not in the memory of the node that uses them"},
    {},
};

constexpr const char* kByHand[] = {
    "likwid-bench -t copy_mem_avx -W S0:256MB",
    "likwid-bench -t stream_mem_avx_fma -W S0:384MB",
    "likwid-bench -t load_avx -W S0:128MB",
    "likwid-bench -t store_mem_avx -W S0:128MB",
    "grep . /sys/devices/system/cpu/cpu*/cache/index3/size   # the -W sizes above are for 32 MiB in all",
    nullptr,
};

// Above this share of waiting, the figure says more about one thread than about all.
constexpr double kMuchWaiting = 0.05;

void note_waiting(Context& context, const std::string& name, const Balance& balance, const std::vector<int>& cpus) {
  if (balance.waited() <= kMuchWaiting) return;
  char text[160];
  std::snprintf(text, sizeof text,
                "%s: the threads waited %.0f %% of the time for the last of them; most often, in %zu of %zu samples, "
                "for CPU %d",
                name.c_str(), balance.waited() * 100, balance.times_slowest(), balance.samples(),
                cpus[balance.slowest()]);
  context.note(text);
}

// What one phase found besides rates.
struct Tally {
  std::int64_t wrong = 0;
  Placement pages;
};

void add_wrong(Context& context, Tally& tally, const SliceMismatch& wrong, const std::string& what) {
  tally.wrong += wrong.count;
  if (wrong.count == 0) return;
  char text[256];
  std::snprintf(text, sizeof text, "%lld wrong in %s; the first at byte %llu: expected 0x%016llx, got 0x%016llx",
                static_cast<long long>(wrong.count), what.c_str(),
                static_cast<unsigned long long>(wrong.index * sizeof(double)),
                static_cast<unsigned long long>(wrong.expected), static_cast<unsigned long long>(wrong.got));
  context.fault("", "data-mismatch", text);
}

Tally run_phase(Context& context, const PhaseSettings& settings, const std::vector<Operation>& operations,
                const std::string& suffix) {
  Phase phase(settings);
  Tally tally;
  for (const Operation operation : operations) {
    const std::string name(to_text(operation));
    const Rates rates = phase.measure(operation);
    context.measure(to_measurement(rates.all, name + suffix, "", "GB/s"));
    for (const auto& [node, estimate] : rates.nodes) {
      const std::string device = "numa:" + std::to_string(node);
      context.device({.id = device, .kind = "numa", .name = {}, .parent = "machine", .facts = {}});
      context.measure(to_measurement(estimate, name + "_one_node", device, "GB/s"));
    }
    note_waiting(context, name + suffix, rates.balance, settings.cpus);
    const std::string what = operation == Operation::read ? "the sums of read passes" : "the array written by " + name;
    add_wrong(context, tally, phase.verify_last(operation), what);
  }
  for (std::size_t which : {0u, 1u}) {
    add_wrong(context, tally, phase.verify_source(which), "source array " + std::to_string(which));
  }
  tally.pages = phase.placement_of_pages();
  return tally;
}

std::vector<Operation> chosen_operations(const std::string& kernel) {
  std::vector<Operation> chosen;
  for (const Operation operation : kOperations) {
    if (kernel == "all" || kernel == to_text(operation)) chosen.push_back(operation);
  }
  return chosen;
}

std::string amount(std::int64_t bytes) {
  return to_text(readable(Quantity{static_cast<double>(bytes), find_unit("B")}));
}

std::string describe(const PhaseSettings& settings) {
  const std::size_t threads = settings.cpus.size();
  return std::to_string(threads) + (threads == 1 ? " thread" : " threads") + " on CPU " + to_cpu_list(settings.cpus) +
         ", arrays of " + amount(settings.slice_bytes * static_cast<std::int64_t>(threads)) + ", " +
         std::string(settings.kernels->name) + " loops, " + std::string(settings.kernels->stores) + " stores";
}

void note_quota(Context& context, std::size_t threads) {
  const auto quota = group_limits(context.sysroot()).cpus;
  if (!quota || *quota >= static_cast<double>(threads)) return;
  context.note("the control group allows " + shortest(*quota) + " CPUs' time for " + std::to_string(threads) +
               " threads: they are held back");
}

// Nobody may take the verdict on some memory for one on all of it.
void refuse_a_part(Context& context, const std::vector<int>& cpus) {
  // Threads run on this machine, whatever machine the sysroot tells of.
  const std::string why = nodes_left_out(SysRoot("/"), cpus);
  if (why.empty()) return;
  if (!context.param<bool>("partial")) throw Trouble{why + " (the parameter 'partial' allows it)"};
  context.note(why);
}

// A quantity in its declared unit, as an integer that cannot overflow what is made of it.
std::int64_t bounded(const Context& context, std::string_view name, double scale, double least, double most) {
  const double value = context.param<double>(name) * scale;
  if (value >= least && value <= most) return static_cast<std::int64_t>(value);
  throw Trouble{"'" + std::string(name) + "' is out of its range"};
}

struct Part {
  std::vector<int> cpus;
  std::string suffix;  // of its metrics
};

std::vector<Part> chosen_parts(const std::string& cores, const std::vector<int>& cpus) {
  std::vector<Part> parts;
  if (cores != "one") parts.push_back({cpus, ""});
  if (cores != "all") parts.push_back({{cpus.front()}, "_one_core"});
  return parts;
}

void report_pages(Context& context, const Placement& pages) {
  if (!pages.refusal.empty()) return context.note("where the pages lie is not known: " + pages.refusal);
  context.measure("pages_misplaced", "", static_cast<double>(pages.misplaced));
  if (pages.misplaced == 0) return;
  context.note(std::to_string(pages.misplaced) + " of " + std::to_string(pages.asked) +
               " pages asked about lie on another NUMA node than the CPU that uses them, or not in memory");
}

void measure_memory(Context& context) {
  const auto operations = chosen_operations(context.param<std::string>("kernel"));
  const Kernels& kernels = choose_kernels(context.param<std::string>("instructions"));
  const std::int64_t size = bounded(context, "size", 1, 0, 1e15);
  const std::int64_t at_most_ns = bounded(context, "at_most", 1e9, 1e8, 3.6e12);  // 0.1 s to 1 h
  const std::vector<int> cpus = one_per_core(context.sysroot(), allowed_cpus());

  if (context.param<std::string>("cores") != "one") refuse_a_part(context, cpus);
  Tally total;
  for (const Part& part : chosen_parts(context.param<std::string>("cores"), cpus)) {
    const std::size_t threads = part.cpus.size();
    const PhaseSettings settings{
        .cpus = part.cpus,
        .slice_bytes = slice_bytes({.caches = last_level_caches(context.sysroot(), part.cpus),
                                    .threads = threads,
                                    .asked = size,
                                    .bounds = memory_bounds(context.sysroot(), threads)}),
        .kernels = &kernels,
        .at_most_ns = at_most_ns,
        .huge_pages = context.param<std::string>("pages") == "huge"};
    context.note(describe(settings));
    note_quota(context, threads);
    const Tally one = run_phase(context, settings, operations, part.suffix);
    total.wrong += one.wrong;
    total.pages.asked += one.pages.asked;
    total.pages.misplaced += one.pages.misplaced;
    if (!one.pages.refusal.empty()) total.pages.refusal = one.pages.refusal;
  }
  context.measure("verify_errors", "", static_cast<double>(total.wrong));
  report_pages(context, total.pages);
}

}  // namespace

RACKPROOF_CHECK(
    .name = "memory.bandwidth", .layer = "memory",
    .summary = "Memory bandwidth of all cores together and of one alone, every byte verified",
    .method =
        "One thread on each physical core that the process may use, pinned, with its own part of three arrays, each at "
        "least four times the last-level caches in front of it and touched first by the thread that uses it. Four "
        "loops run over them: copy, triad, read and write, with the widest vector instructions and, where the CPU has "
        "them, non-temporal stores. A sample is about 100 ms: all threads start together, and the time ends with the "
        "last of them. Bytes are counted as STREAM counts them (16, 24, 8 and 8 an element); the line that an ordinary "
        "store fetches before it is overwritten is not counted. Each pass differs from the one before, sums of read "
        "passes are compared at once, and every element of every array is compared with its exact value after the "
        "loop. The kernel is asked on which NUMA node the pages lie.",
    .parameters = kParameters, .metrics = kMetrics, .by_hand = kByHand, .run = entry<measure_memory>)
