// memory.bandwidth, before anything runs: which CPUs take part, what they leave out, and how large the arrays must be.
#include <catch2/catch.hpp>
#include <string>

#include "checks/api/last_word.h"
#include "checks/memory/caches.h"
#include "checks/memory/control_group.h"
#include "checks/memory/cpus.h"
#include "checks/memory/size_rule.h"
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
  SysrootFixture old;
  old.file("/sys/devices/system/node/online", "0-1");
  old.file("/sys/devices/system/node/node0/cpulist", "0-3");
  old.file("/sys/devices/system/node/node1/cpulist", "4-7");
  CHECK(nodes_left_out(SysRoot(old.directory()), {0, 1}) ==
        "this process may use CPU 0-1 alone, and so NUMA node 1 is left out");
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
