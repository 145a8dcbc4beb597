#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <variant>

#include "tests/support/check_reports.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof;
using namespace rackproof::testing;

namespace {

CheckReports read_counters(const SysrootFixture& machine) {
  return run_check_library("host.counters", machine.directory());
}

// Both packages, the PCI tree, and an error of every kind.
void build(SysrootFixture& machine) {
  add_cpus(machine);
  add_pci_tree(machine);
  add_error_counters(machine);
}

}  // namespace

TEST_CASE("host.counters: every counter that the machine shows is reported on its part") {
  SysrootFixture machine;
  build(machine);
  const auto said = read_counters(machine);
  CHECK(std::holds_alternative<Done>(said.last()));

  SECTION("PCIe: the total, and not the sum of the kinds") {
    CHECK(said.value("aer_correctable", "pci:0000:17:00.0") == 3);
    CHECK(said.value("aer_nonfatal", "pci:0000:17:00.0") == 2);
    CHECK(said.value("aer_fatal", "pci:0000:17:00.0") == 1);
    CHECK(said.value("aer_correctable", "pci:0000:18:00.0") == 0);
    CHECK_FALSE(said.has_measured("aer_fatal", "pci:0000:18:00.0"));
    REQUIRE(said.device("pci:0000:17:00.0") != nullptr);
    CHECK(said.device("pci:0000:17:00.0")->kind == "gpu");
    CHECK(said.device("pci:0000:17:00.0")->parent == "pci:0000:00:01.0");
  }
  SECTION("memory controllers") {
    CHECK(said.value("edac_correctable", "edac:mc0") == 12);
    CHECK(said.value("edac_uncorrectable", "edac:mc0") == 0);
    CHECK(said.value("edac_uncorrectable", "edac:mc1") == 1);
    CHECK(said.device("edac:power") == nullptr);
  }
  SECTION("throttling, summed over each package") {
    CHECK(said.value("core_throttles", "package:0") == 0 + 1 + 2 + 3);
    CHECK(said.value("core_throttles", "package:1") == 4 + 5 + 6 + 7);
    CHECK(said.value("core_throttle_time", "package:1") == 220);
    CHECK(said.value("package_throttles", "package:0") == 0);
    CHECK(said.value("package_throttles", "package:1") == 20);
    CHECK_FALSE(said.has_measured("package_throttle_time", "package:0"));
  }
  SECTION("network interfaces of hardware alone") {
    CHECK(said.value("net_receive_errors", "net:eth0") == 6);
    CHECK(said.value("net_transmit_errors", "net:eth0") == 7);
    CHECK(said.value("net_receive_drops", "net:eth0") == 8);
    CHECK(said.value("net_transmit_drops", "net:eth0") == 9);
    CHECK(said.value("net_carrier_changes", "net:eth0") == 11);
    CHECK_FALSE(said.has_measured("net_receive_missed", "net:eth0"));
    CHECK_FALSE(said.has_measured("net_receive_errors", "net:lo"));
    REQUIRE(said.device("net:eth0") != nullptr);
    CHECK(said.device("net:eth0")->parent == "pci:0000:84:00.0");
  }
  SECTION("InfiniBand ports") {
    CHECK(said.value("ib_symbol_errors", "ib:mlx5_0/1") == 13);
    CHECK(said.value("ib_link_downed", "ib:mlx5_0/1") == 14);
    CHECK(said.value("ib_out_of_sequence", "ib:mlx5_0/1") == 70000);
    CHECK_FALSE(said.has_measured("ib_receive_errors", "ib:mlx5_0/1"));
    REQUIRE(said.device("ib:mlx5_0/1") != nullptr);
    CHECK(said.device("ib:mlx5_0/1")->parent == "pci:0000:83:00.0");
  }
  SECTION("a part without counters is not described") {
    CHECK(said.device("pci:0000:83:00.0") == nullptr);
    CHECK(said.device("net:ib0") == nullptr);
    CHECK(said.device("ib:mlx5_1/1") == nullptr);
  }
}

TEST_CASE("host.counters: what nothing put right is summed over the machine") {
  SysrootFixture machine;
  build(machine);
  // AER 2 + 1, EDAC 0 + 1, network 6 + 7, InfiniBand 14 links down; whatever else the fixture has is corrected or full.
  const double before = read_counters(machine).value("uncorrected", "");
  CHECK(before >= 2 + 1 + 1 + 6 + 7 + 14);
  machine.file("/sys/bus/pci/devices/0000:17:00.0/aer_dev_fatal", "TOTAL_ERR_FATAL 4");
  CHECK(read_counters(machine).value("uncorrected", "") - before == 3);
  machine.file("/sys/bus/pci/devices/0000:17:00.0/aer_dev_correctable", "TOTAL_ERR_COR 1000");
  CHECK(read_counters(machine).value("uncorrected", "") - before == 3);
}

TEST_CASE("host.counters: without a counter of uncorrected errors there is no sum") {
  SysrootFixture machine;
  machine.file("/sys/devices/system/edac/mc/mc0/ce_count", "3");
  CHECK_FALSE(read_counters(machine).has_measured("uncorrected", ""));
}

TEST_CASE("host.counters: in a container the virtual interface is what there is, and never the loopback") {
  SysrootFixture machine;
  machine.file("/sys/class/net/lo/statistics/rx_errors", "9");
  CHECK(std::holds_alternative<Skipped>(read_counters(machine).last()));
  machine.file("/sys/class/net/eth0/statistics/rx_errors", "2");
  CHECK(read_counters(machine).value("uncorrected", "") == 2);
}

TEST_CASE("host.counters: a counter that is full is no evidence") {
  SysrootFixture machine;
  build(machine);
  const auto said = read_counters(machine);
  CHECK_FALSE(said.has_measured("ib_link_recoveries", "ib:mlx5_0/1"));
  CHECK(said.has_note("ib:mlx5_0/1: ib_link_recoveries is full at 255"));
}

TEST_CASE("host.counters: a file that holds no count is no counter") {
  SysrootFixture machine;
  add_pci_tree(machine);
  const char* file = "/sys/bus/pci/devices/0000:17:00.0/aer_dev_fatal";
  for (const char* text : {"", "DLP 0", "TOTAL_ERR_FATAL", "TOTAL_ERR_FATAL x", "TOTAL_ERR_FATAL "}) {
    CAPTURE(text);
    machine.file(file, text);
    CHECK_FALSE(read_counters(machine).has_measured("aer_fatal", "pci:0000:17:00.0"));
  }
}

TEST_CASE("host.counters: it skips where there is no counter at all") {
  SysrootFixture machine;
  const auto said = read_counters(machine);
  REQUIRE(std::holds_alternative<Skipped>(said.last()));
  CHECK(std::get<Skipped>(said.last()).why == "this machine shows none of the counters");
}

TEST_CASE("host.counters: the difference of two readings is what happened between them") {
  SysrootFixture machine;
  build(machine);
  const double before = read_counters(machine).value("aer_correctable", "pci:0000:17:00.0");
  machine.file("/sys/bus/pci/devices/0000:17:00.0/aer_dev_correctable", "RxErr 1\nBadTLP 9\nTOTAL_ERR_COR 8");
  CHECK(read_counters(machine).value("aer_correctable", "pci:0000:17:00.0") - before == 5);
}
