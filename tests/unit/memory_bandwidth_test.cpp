// memory.bandwidth in parts: which CPUs and caches, how large the arrays, and that every wrong element is found.
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "checks/api/last_word.h"
#include "checks/memory/caches.h"
#include "checks/memory/control_group.h"
#include "checks/memory/cpus.h"
#include "checks/memory/node_rates.h"
#include "checks/memory/phase.h"
#include "checks/memory/size_rule.h"
#include "checks/memory/slice.h"
#include "checks/memory/team.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof;
using rackproof::testing::SysrootFixture;

namespace {

constexpr std::int64_t kMiB = 1 << 20;

void add_cache(SysrootFixture& root, int cpu, int index, const char* level, const char* type, const char* size,
               const char* shared) {
  const std::string cache = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache";
  const std::string folder = cache + "/index" + std::to_string(index);
  root.file(folder + "/level", level);
  root.file(folder + "/type", type);
  root.file(folder + "/size", size);
  root.file(folder + "/shared_cpu_list", shared);
}

std::string trouble_of(const SizeQuestion& question) {
  try {
    slice_bytes(question);
  } catch (const Trouble& trouble) {
    return trouble.why;
  }
  return "";
}

std::vector<const Kernels*> kernels_here() {
  std::vector<const Kernels*> all{&kPortableKernels};
  if (avx2_kernels() != nullptr) all.push_back(avx2_kernels());
  if (avx512_kernels() != nullptr) all.push_back(avx512_kernels());
  return all;
}

std::chrono::steady_clock::time_point soon() { return std::chrono::steady_clock::now() + std::chrono::minutes(1); }

}  // namespace

TEST_CASE("NUMA nodes that no CPU of ours is on are named") {
  SysrootFixture root;
  root.file("/sys/devices/system/node/has_memory", "0-3");
  root.file("/sys/devices/system/node/node0/cpulist", "0-3,8-11");
  root.file("/sys/devices/system/node/node1/cpulist", "4-7,12-15");
  root.file("/sys/devices/system/node/node2/cpulist", "16");
  root.file("/sys/devices/system/node/node3/cpulist", "");  // memory alone, as of a GPU or CXL
  const SysRoot machine(root.directory());
  CHECK(nodes_left_out(machine, {0, 4, 16}).empty());
  CHECK(nodes_left_out(machine, {0, 1, 2, 3, 8}) ==
        "this process may use CPU 0-3,8 alone, and so NUMA node 1-2 is left out");
  CHECK(nodes_left_out(machine, {15, 16}) == "this process may use CPU 15-16 alone, and so NUMA node 0 is left out");
  const SysrootFixture silent;
  CHECK(nodes_left_out(SysRoot(silent.directory()), {0}).empty());
}

TEST_CASE("a list of CPUs is read and written") {
  CHECK(parse_cpu_list("0-2,8,10-11") == std::vector{0, 1, 2, 8, 10, 11});
  CHECK(parse_cpu_list("5") == std::vector{5});
  for (const char* bad : {"", "x", "1-", "3-1", "1,,2", "1,", "-1", "0-99999999"}) CHECK(parse_cpu_list(bad).empty());
  CHECK(to_cpu_list({0, 1, 2, 8, 10, 11}) == "0-2,8,10-11");
}

TEST_CASE("one thread of each core is chosen, of those that are allowed") {
  SysrootFixture files;
  for (int cpu = 0; cpu < 4; ++cpu) {
    files.file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list",
               cpu % 2 == 0 ? "0,2" : "1,3");
  }
  const SysRoot root(files.directory());
  CHECK(one_per_core(root, {0, 1, 2, 3}) == std::vector{0, 1});
  CHECK(one_per_core(root, {1, 2, 3}) == std::vector{1, 2});
  CHECK(one_per_core(root, {2, 7}) == std::vector{2, 7});
}

TEST_CASE("last-level caches are counted once, however many CPUs share them") {
  SysrootFixture files;
  for (int cpu = 0; cpu < 4; ++cpu) {
    add_cache(files, cpu, 0, "1", "Data", "32K", "0");
    add_cache(files, cpu, 1, "1", "Instruction", "64K", "0");
    add_cache(files, cpu, 2, "2", "Unified", "1024K", "0");
    add_cache(files, cpu, 3, "3", "Unified", cpu < 2 ? "32768K" : "96M", cpu < 2 ? "0-1" : "2-3");
  }
  add_cache(files, 2, 4, "2", "Unified", "2M", "2-3");  // the order of the folders says nothing
  add_cache(files, 5, 0, "2", "Unified", "512K", "5");
  add_cache(files, 5, 1, "3", "Instruction", "4M", "5");
  const SysRoot root(files.directory());
  CHECK(last_level_caches(root, {0, 1, 2, 3}) ==
        std::vector<Cache>{{32 * kMiB, {0, 1}}, {96 * kMiB, {2, 3}}});
  CHECK(last_level_caches(root, {1, 3, 4, 5}) ==
        std::vector<Cache>{{32 * kMiB, {1}}, {96 * kMiB, {3}}, {512 << 10, {5}}});
  CHECK(last_level_caches(root, {4}).empty());
  CHECK(parse_cache_size("1G") == 1024 * kMiB);
  for (const char* bad : {"", "K", "12 K", "-1K", "5T"}) CHECK(parse_cache_size(bad) == 0);
}

TEST_CASE("behind each cache lie four times its size") {
  const Cache shared{32 * kMiB, {0, 1}};
  CHECK(slice_bytes({.caches = {shared}, .threads = 2, .asked = 0, .bounds = {}}) == 64 * kMiB);
  // One thread alone behind the second cache: it needs all four times itself, and all threads get the same.
  CHECK(slice_bytes({.caches = {shared, {32 * kMiB, {2}}}, .threads = 3, .asked = 0, .bounds = {}}) == 128 * kMiB);
  CHECK(slice_bytes({.caches = {shared}, .threads = 2, .asked = 300'000'000, .bounds = {}}) == 150'011'904);
  CHECK(slice_bytes({.caches = {}, .threads = 2, .asked = 1, .bounds = {}}) == kSliceMultiple);
  CHECK(slice_bytes({.caches = {shared}, .threads = 2, .asked = 0, .bounds = {{384 * kMiB, "x"}}}) == 64 * kMiB);
}

TEST_CASE("a size that would measure a cache, or does not fit, is refused with both numbers") {
  const Cache cache{32 * kMiB, {0, 1}};
  CHECK(trouble_of({.caches = {cache}, .threads = 2, .asked = 127 * kMiB, .bounds = {}}) ==
        "'size' is 127 MiB, but an array must hold at least 128 MiB (4 times 32 MiB of last-level cache, over 2 "
        "threads)");
  CHECK(trouble_of({.caches = {cache}, .threads = 2, .asked = 0, .bounds = {{512 * kMiB, "a"}, {383 * kMiB, "b"}}}) ==
        "3 arrays need 384 MiB, but b is 383 MiB; an array must hold at least 128 MiB (4 times 32 MiB of last-level "
        "cache, over 2 threads)");
  CHECK(trouble_of({.caches = {}, .threads = 2, .asked = 0, .bounds = {}}).find("give 'size'") != std::string::npos);
}

TEST_CASE("memory is bounded by what is free and by the tightest control group above") {
  SysrootFixture files;
  files.file("/proc/meminfo", "MemTotal:       32768 kB\nMemAvailable:   16384 kB");
  files.file("/proc/self/cgroup", "1:name=systemd:/x\n0::/pod/container");
  files.file("/sys/fs/cgroup/pod/container/memory.max", "2000000");
  files.file("/sys/fs/cgroup/pod/container/memory.current", "5");
  files.file("/sys/fs/cgroup/pod/container/cpu.max", "250000 100000");
  files.file("/sys/fs/cgroup/pod/memory.max", "1000000");
  files.file("/sys/fs/cgroup/pod/memory.current", "700000");
  files.file("/sys/fs/cgroup/pod/memory.stat", "anon 100000\nfile 500000\nshmem 200000");
  files.file("/sys/fs/cgroup/pod/cpu.max", "max 100000");
  files.file("/sys/fs/cgroup/memory.max", "9000000");
  files.file("/sys/fs/cgroup/memory.current", "700000");
  const SysRoot root(files.directory());
  const GroupLimits limits = group_limits(root);
  CHECK(limits.memory_left == 600000);  // page cache can be given back, shared memory cannot
  CHECK(limits.memory_group == "/pod");
  CHECK(limits.cpus == 2.5);
  const auto bounds = memory_bounds(root, 2);
  CHECK(bounds.at(0).bytes == 8 * kMiB);
  CHECK(bounds.at(1).bytes == 300000);
  CHECK(bounds.at(1).what == "half of what the control group /pod leaves");
  CHECK_FALSE(group_limits(SysRoot(SysrootFixture().directory())).memory_left.has_value());
}

TEST_CASE("bytes are counted as STREAM counts them") {
  std::vector<std::int64_t> bytes;
  for (const Operation operation : kOperations) bytes.push_back(bytes_per_element(operation));
  CHECK(bytes == std::vector<std::int64_t>{16, 24, 8, 8});
}

TEST_CASE("every kind of loop gives the same, on all elements and no others") {
  constexpr std::size_t kElements = 5 * kTurn;
  constexpr double kOutside = -1;
  for (const Kernels* kernels : kernels_here()) {
    INFO(kernels->name);
    alignas(64) double to[kElements + kTurn], left[kElements], right[kElements];
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kElements; ++i) {
      left[i] = source_value(0, i);
      right[i] = source_value(1, i);
      sum += std::bit_cast<std::uint64_t>(left[i]);
    }
    std::fill(std::begin(to), std::end(to), kOutside);
    kernels->copy(to, left, kElements);
    CHECK(std::equal(left, left + kElements, to));
    kernels->triad(to, left, right, 8, kElements);
    bool exact = true;
    for (std::size_t i = 0; i < kElements; ++i) {
      exact = exact && static_cast<std::uint64_t>(to[i]) ==
                           static_cast<std::uint64_t>(left[i]) + 8 * static_cast<std::uint64_t>(right[i]);
    }
    kernels->write(to, 77, 3, kElements);
    for (std::size_t i = 0; i < kElements; ++i) exact = exact && std::bit_cast<std::uint64_t>(to[i]) == 77 + 3 * i;
    CHECK(exact);
    CHECK(kernels->read(left, kElements) == sum);
    CHECK(std::all_of(to + kElements, std::end(to), [](double value) { return value == kOutside; }));
  }
  CHECK(&choose_kernels("portable") == &kPortableKernels);
  CHECK_THROWS_AS(choose_kernels("sse9"), Trouble);
}

TEST_CASE("a flipped bit, a stale element and a swapped pair are found after each loop") {
  constexpr std::uint64_t kFirst = 1000 * kTurn;
  for (const Kernels* kernels : kernels_here()) {
    for (const Operation operation : {Operation::copy, Operation::triad, Operation::write}) {
      INFO(kernels->name << " " << to_text(operation));
      Slice slice(kFirst, 8 * kTurn, false);
      slice.fill(soon());
      slice.run(operation, *kernels, 3);
      const double older = slice.target()[9];
      slice.run(operation, *kernels, 1);
      CHECK(slice.verify(operation).count == 0);

      const double right = slice.target()[5];
      const auto flipped = std::bit_cast<std::uint64_t>(right) ^ (1ull << 51);
      slice.target()[5] = std::bit_cast<double>(flipped);
      const SliceMismatch one = slice.verify(operation);
      CHECK(one.count == 1);
      CHECK(one.index == kFirst + 5);
      CHECK(one.expected == std::bit_cast<std::uint64_t>(right));
      CHECK(one.got == flipped);

      slice.target()[5] = right;
      slice.target()[9] = older;  // as if the last pass had not reached it
      CHECK(slice.verify(operation).count == 1);
      slice.run(operation, *kernels, 1);
      CHECK(slice.verify(operation).count == 0);
      std::swap(slice.target()[0], slice.target()[8 * kTurn - 1]);
      CHECK(slice.verify(operation).count == 2);
    }
  }
}

TEST_CASE("a flipped bit in a source is found by reading it") {
  for (const Kernels* kernels : kernels_here()) {
    Slice slice(0, 8 * kTurn, false);
    slice.fill(soon());
    slice.run(Operation::read, *kernels, 4);
    CHECK(slice.verify(Operation::read).count == 0);
    slice.source(1)[3] = -slice.source(1)[3];
    slice.run(Operation::read, *kernels, 4);  // every second pass reads this source
    CHECK(slice.verify(Operation::read).count == 2);
    CHECK(slice.verify_source(0).count == 0);
    CHECK(slice.verify_source(1).count == 1);
    CHECK(slice.verify_source(1).index == 3);
  }
}

TEST_CASE("memory that the kernel does not give in time is trouble") {
  CHECK_THROWS_AS(Slice(0, kTurn, false).fill(soon() - std::chrono::hours(1)), Trouble);
}

TEST_CASE("a team runs the work once on every thread, and passes on what it throws") {
  const int cpu = allowed_cpus().front();
  Team team({cpu, cpu, cpu});
  std::vector<int> calls(3);
  for (int i = 0; i < 50; ++i) team.run([&](std::size_t rank) { ++calls[rank]; });
  CHECK(calls == std::vector{50, 50, 50});
  CHECK_THROWS_AS(team.run([](std::size_t rank) { if (rank == 1) throw std::runtime_error("x"); }), std::runtime_error);
  CHECK_NOTHROW(team.run([](std::size_t) {}));
  CHECK_THROWS_AS(Team({60000}), Trouble);
  CHECK(wall_ns({{10, 50}, {12, 40}, {11, 70}}) == 60);
}

TEST_CASE("pages are misplaced when they lie on another node, or nowhere") {
  const Mapping memory(64 * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)), false);
  const Placement nowhere = placement(memory, 0, 1000);
  if (!nowhere.refusal.empty()) return;  // a kernel without NUMA, or a container that forbids the question
  CHECK(nowhere.misplaced == nowhere.asked);
  Team team({allowed_cpus().front()});
  const std::size_t half = memory.bytes() / sizeof(double) / 2;
  team.run([&](std::size_t) { std::fill_n(memory.begin(), half, 1.0); });
  CHECK(placement(memory, team.nodes()[0], 16).misplaced == 8);  // those asked about are spread over all of it
  team.run([&](std::size_t) { std::fill_n(memory.begin() + half, half, 1.0); });
  CHECK(placement(memory, team.nodes()[0], 16).asked == 16);
  CHECK(placement(memory, team.nodes()[0], 16).misplaced == 0);
  CHECK(placement(memory, 99, 16).misplaced == 16);
}

TEST_CASE("samples are made near 100 ms long") {
  CHECK(next_passes(10, 140'000'000) == 10);
  CHECK(next_passes(10, 400'000'000) == 3);
  CHECK(next_passes(1, 5'000'000'000) == 1);
  CHECK(next_passes(1, 1'000'000) == 100);
  CHECK(next_passes(1, 1) == 1000);
}

TEST_CASE("waiting is counted, and for whom") {
  Balance balance(2);
  CHECK(balance.waited() == 0);
  balance.add({{0, 100}, {0, 100}});
  for (int i = 0; i < 3; ++i) balance.add({{0, 50}, {0, 100}});
  CHECK(balance.waited() == Approx(0.25));
  CHECK((balance.slowest() == 1 && balance.times_slowest() == 3 && balance.samples() == 4));
}

TEST_CASE("samples are split by node, each by its own bytes and time") {
  NodeRates rates({0, 1, 1});
  Estimate kept_two;
  kept_two.samples = {.n = 2, .steady = false};
  CHECK(rates.estimates(kept_two).empty());
  rates.add({{0, 1}, {0, 1}, {0, 1}}, 1000);  // discarded
  rates.add({{0, 100}, {10, 50}, {0, 200}}, 1000);
  rates.add({{0, 100}, {10, 50}, {0, 200}}, 1000);
  const auto nodes = rates.estimates(kept_two);
  REQUIRE(nodes.size() == 2);
  CHECK(nodes.at(0).median == Approx(1000 / 100e-9));
  CHECK(nodes.at(1).median == Approx(2000 / 200e-9));
  CHECK(nodes.at(1).counted == Counted{.amount = 4000, .nanoseconds = 400, .directions = 1});
  CHECK((nodes.at(1).samples.n == 2 && !nodes.at(1).samples.steady));
  NodeRates alone({3, 3});
  alone.add({{0, 100}, {0, 100}}, 1000);
  CHECK(alone.estimates(kept_two).empty());
}

TEST_CASE("a phase counts what it moved, and verifies all of it") {
  const int cpu = allowed_cpus().front();
  Phase phase({.cpus = {cpu, cpu}, .slice_bytes = 65536, .kernels = &kPortableKernels, .at_most_ns = 1'000'000});
  for (const Operation operation : kOperations) {
    const Rates rates = phase.measure(operation);
    const std::int64_t pass = 2 * 65536 / 8 * bytes_per_element(operation);
    CHECK(rates.all.counted.amount >= pass);
    CHECK(rates.all.counted.amount % pass == 0);
    CHECK(phase.verify_last(operation).count == 0);
    if (operation == Operation::triad) CHECK(phase.verify_last(Operation::copy).count == 2 * 65536 / 8);
  }
  CHECK(phase.verify_source(1).count == 0);
}
