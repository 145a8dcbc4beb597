#include <catch2/catch.hpp>
#include <vector>

#include "checks/pcie/aer.h"
#include "checks/pcie/copy_history.h"
#include "checks/pcie/copy_plan.h"
#include "checks/pcie/numa_nodes.h"
#include "checks/pcie/uplinks.h"
#include "tests/support/check_reports.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof;
using namespace rackproof::testing;

namespace {

constexpr std::size_t kMiB = 1 << 20;

std::vector<Sample> samples(std::size_t count, std::int64_t ns) { return std::vector<Sample>(count, Sample{1000, ns}); }

}  // namespace

TEST_CASE("pcie.bandwidth: the size of a copy follows from the memory that is free") {
  const std::size_t much = std::size_t{1} << 40;
  CHECK(chunk_size(64 * kMiB, much, much, 8) == 64 * kMiB);
  CHECK(chunk_size(64 * kMiB, 128 * kMiB, much, 8) == 37 * 64 * 1024);
  CHECK(chunk_size(64 * kMiB, much, 8 * 110 * kMiB, 8) == kMiB);
  CHECK(chunk_size(64 * kMiB, kMiB, much, 8) == 0);
  CHECK(chunk_size(100'000, much, much, 1) == 65536);
}

TEST_CASE("pcie.bandwidth: no place of the ring ever gets the same source twice running") {
  for (std::size_t copy = kRing; copy < 100; ++copy) CHECK(copy % kSources != (copy - kRing) % kSources);
}

TEST_CASE("pcie.bandwidth: only copies made while all lanes copied count") {
  const std::vector<TimedCopy> fast{{0, 10}, {10, 20}, {20, 30}};
  const std::vector<TimedCopy> slow{{0, 25}, {25, 50}, {50, 75}};
  const std::vector<TimedCopy> crawling{{0, 100}, {100, 200}};
  const std::vector<std::vector<TimedCopy>> both{fast, slow};
  CHECK(common_end(both) == 30);
  CHECK(samples_until(fast, 30, 8).size() == 3);
  REQUIRE(samples_until(slow, 30, 8).size() == 1);
  CHECK(samples_until(slow, 30, 8).front().nanoseconds == 25);
  // Slower than all others together, it still shows how slow it is.
  REQUIRE(samples_until(crawling, 30, 8).size() == 1);
  CHECK(samples_until(crawling, 30, 8).front().nanoseconds == 100);
  CHECK(samples_until({}, 30, 8).empty());
}

TEST_CASE("pcie.bandwidth: two directions at once add up as rates") {
  const Sample sum = added({1'000'000, 100'000}, {1'000'000, 50'000});
  CHECK(sum.amount == 2'000'000);
  CHECK(static_cast<double>(sum.amount) / static_cast<double>(sum.nanoseconds) == Approx(30.0).epsilon(1e-4));
}

TEST_CASE("pcie.bandwidth: a figure needs twelve steady copies, and the time that was asked for") {
  CopyHistory history;
  history.add(samples(8, 100));
  CHECK_FALSE(history.estimate({}).has_value());
  history.add(samples(8, 100));
  const auto figure = history.estimate({});
  REQUIRE(figure.has_value());
  CHECK(figure->samples.n == 16);
  CHECK(figure->samples.steady);
  CHECK(figure->median == Approx(1e10));
  CHECK_FALSE(history.estimate({.at_least_ns = 1601}).has_value());
  CHECK(history.estimate({.at_least_ns = 1600}).has_value());
}

TEST_CASE("pcie.bandwidth: what never becomes steady is given up, and says so") {
  CopyHistory history;
  for (int i = 0; i < 20; ++i) history.add(samples(1, i % 2 == 0 ? 100 : 300));
  CHECK_FALSE(history.estimate({}).has_value());
  const auto figure = history.estimate({.at_most_ns = 3000});
  REQUIRE(figure.has_value());
  CHECK_FALSE(figure->samples.steady);
}

TEST_CASE("pcie.bandwidth: a late slow copy is the worst of a figure") {
  CopyHistory history;
  history.add(samples(40, 100));
  history.add(samples(1, 400));
  const auto figure = history.estimate({});
  REQUIRE(figure.has_value());
  CHECK(figure->samples.n == 41);
  CHECK(figure->samples.worst == Approx(2.5e9));
}

TEST_CASE("pcie.bandwidth: the far node is the one at the greatest distance that has memory") {
  const std::vector<MemoryNode> four{
      {0, {10, 12, 32, 32}}, {1, {12, 10, 32, 32}}, {2, {32, 32, 10, 12}}, {3, {32, 32, 12, 10}}};
  CHECK(far_node(four, 0) == 2);
  CHECK(far_node(four, 3) == 0);
  CHECK(far_node(four, 7) == -1);
  CHECK(far_node({{0, {10}}}, 0) == -1);
  CHECK(far_node({{0, {}}, {1, {}}}, 1) == 0);
}

TEST_CASE("pcie.bandwidth: nodes without memory are none") {
  SysrootFixture machine;
  const auto add = [&](const std::string& node, const std::string& kilobytes) {
    machine.file("/sys/devices/system/node/" + node + "/meminfo", "Node 0 MemTotal:   " + kilobytes + " kB\n");
    machine.file("/sys/devices/system/node/" + node + "/distance", "10 21 31");
  };
  add("node0", "1024");
  add("node1", "0");
  add("node10", "1024");
  machine.file("/sys/devices/system/node/online", "0-1,10");
  const auto nodes = numa_nodes_with_memory(SysRoot(machine.directory()));
  REQUIRE(nodes.size() == 2);
  CHECK(nodes[0].number == 0);
  CHECK(nodes[1].number == 10);
  CHECK(nodes[0].distances == std::vector<int>{10, 21, 31});
}

TEST_CASE("pcie.bandwidth: GPUs under one root port share its link, by however many switches") {
  const auto device = [](std::string address, std::string parent) {
    return PciDevice{.address = std::move(address), .parent = std::move(parent), .root = {}, .port = {},
                     .physical_function = {}, .kind = {}};
  };
  const std::vector<PciDevice> all{device("root0", ""),       device("up", "root0"),    device("down0", "up"),
                                   device("gpu0", "down0"),   device("down1", "up"),    device("inner", "down1"),
                                   device("innerdown", "inner"), device("gpu1", "innerdown"), device("root1", ""),
                                   device("gpu2", "root1"),   device("gpu3", "")};
  const auto found = uplinks(all, {"gpu0", "gpu1", "gpu2", "gpu3", "gpu9"});
  REQUIRE(found.size() == 2);
  CHECK(found[0].root_port == "root0");
  CHECK(found[0].device == "up");
  CHECK(found[0].gpus == std::vector<std::size_t>{0, 1});
  CHECK(found[1].device == "gpu2");
  CHECK(found[1].gpus == std::vector<std::size_t>{2});
}

TEST_CASE("pcie.bandwidth: corrected errors of both ends of a link count") {
  SysrootFixture machine;
  const auto file = [](const std::string& address) { return "/sys/bus/pci/devices/" + address + "/aer_dev_correctable"; };
  const PciDevice gpu{.address = "0000:17:00.0", .parent = {}, .root = {}, .port = "0000:16:00.0",
                      .physical_function = {}, .kind = {}};
  CHECK_FALSE(aer_correctable(SysRoot(machine.directory()), gpu).has_value());
  machine.file(file("0000:17:00.0"), "RxErr 0\nTOTAL_ERR_COR 3\n");
  CHECK(aer_correctable(SysRoot(machine.directory()), gpu) == 3);
  machine.file(file("0000:16:00.0"), "RxErr 0\nTOTAL_ERR_COR 4\n");
  CHECK(aer_correctable(SysRoot(machine.directory()), gpu) == 7);
}

TEST_CASE("pcie.bandwidth: without a GPU it says why it cannot run") {
  SysrootFixture machine;
  const auto said = run_check_library("pcie.bandwidth", machine.directory());
  REQUIRE(std::holds_alternative<Skipped>(said.last()));
  CHECK_FALSE(std::get<Skipped>(said.last()).why.empty());
}
