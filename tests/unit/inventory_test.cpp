#include <catch2/catch.hpp>
#include <string>
#include <variant>

#include "tests/support/check_reports.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof;
using namespace rackproof::testing;

namespace {

CheckReports take_inventory(const SysrootFixture& machine) {
  return run_check_library("host.inventory", machine.directory());
}

std::string parent_of(const CheckReports& said, std::string_view id) {
  const Device* device = said.device(id);
  return device == nullptr ? "not reported" : device->parent;
}

std::string fact_of(const CheckReports& said, std::string_view id, std::string_view name) {
  const Device* device = said.device(id);
  return device == nullptr ? "not reported" : fact(device->facts, name);
}

}  // namespace

TEST_CASE("host.inventory: an invented machine is described as it is, and not the one that runs the test") {
  SysrootFixture machine;
  add_cpus(machine);
  add_pci_tree(machine);
  add_identity(machine);
  const auto said = take_inventory(machine);
  CHECK(std::holds_alternative<Done>(said.last()));
  CHECK(std::holds_alternative<Simulated>(said.reports.front()));

  SECTION("the machine") {
    CHECK(parent_of(said, "machine").empty());
    CHECK(said.device("machine")->name == "Two Socket");
    CHECK(fact_of(said, "machine", "kernel") == "6.1.0-example");
    CHECK(fact_of(said, "machine", "os_release") == "Example Linux 1");
    CHECK(fact_of(said, "machine", "vendor") == "Example Systems");
    CHECK(fact_of(said, "machine", "serial") == "SN0001");
    CHECK(fact_of(said, "machine", "threads") == "8");
  }
  SECTION("CPUs and memory") {
    CHECK(said.value("packages") == 2);
    CHECK(said.value("cores") == 4);
    CHECK(said.value("threads") == 8);
    CHECK(said.value("numa_nodes") == 2);
    CHECK(said.value("memory") == 32);
    REQUIRE(said.device("package:1") != nullptr);
    CHECK(said.device("package:1")->name == "Example CPU 9000");
    CHECK(parent_of(said, "package:1") == "machine");
    CHECK(fact_of(said, "package:1", "cores") == "2");
    CHECK(fact_of(said, "package:1", "threads") == "4");
    CHECK(parent_of(said, "numa:1") == "package:1");
    CHECK(fact_of(said, "numa:1", "cpu_list") == "4-7");
    CHECK(fact_of(said, "numa:1", "memory_bytes") == "17179869184");
    REQUIRE(said.link("package:1", "numa:1") != nullptr);
    CHECK(said.link("package:1", "numa:1")->kind == "memory");
    CHECK(said.link("package:0", "numa:1") == nullptr);
  }
  SECTION("the PCI tree") {
    CHECK(parent_of(said, "pci:0000:80") == "package:1");
    CHECK(parent_of(said, "pci:0000:00") == "package:0");
    CHECK(parent_of(said, "pci:0000:80:01.0") == "pci:0000:80");
    CHECK(parent_of(said, "pci:0000:83:00.0") == "pci:0000:82:00.0");
    CHECK(said.device("pci:0000:83:00.0")->kind == "nic");
    CHECK(said.device("pci:0000:17:00.0")->name == "Example GPU 80GB");
    CHECK(fact_of(said, "pci:0000:17:00.0", "vendor_id") == "0x10de");
    CHECK(fact_of(said, "pci:0000:17:00.0", "device_id") == "0x2330");
    CHECK(fact_of(said, "pci:0000:17:00.0", "driver") == "nvidia");
    CHECK(fact_of(said, "pci:0000:17:00.0", "slot") == "3");
    CHECK(fact_of(said, "pci:0000:83:00.0", "numa_node") == "1");
    CHECK(said.device("pci:0000:18:00.0")->name == "EXAMPLE 3.84TB");
    CHECK(fact_of(said, "pci:0000:84:00.1", "virtual_function_of") == "pci:0000:84:00.0");
  }
  SECTION("links carry their figures, paths inside a switch none") {
    const Link* link = said.link("pci:0000:00:01.0", "pci:0000:17:00.0");
    REQUIRE(link != nullptr);
    CHECK(link->kind == "pcie");
    CHECK(fact(link->facts, "speed_gts") == "32");
    CHECK(fact(link->facts, "width_lanes") == "8");
    REQUIRE(said.link("pci:0000:81:00.0", "pci:0000:82:00.0") != nullptr);
    CHECK(said.link("pci:0000:81:00.0", "pci:0000:82:00.0")->facts.empty());
    CHECK(said.link("pci:0000:00", "pci:0000:00:01.0") != nullptr);
  }
  SECTION("counts") {
    CHECK(said.value("pci_devices") == 19);
    CHECK(said.value("gpus") == 1);
    CHECK(said.value("nics") == 2);
    CHECK(said.value("nvme") == 2);
    CHECK(said.value("nvswitches") == 0);
    CHECK(said.value("accelerators") == 0);
    CHECK(said.value("block_devices") == 3);
    CHECK(said.value("net_devices") == 2);
    CHECK(said.value("infiniband") == 1);
  }
  SECTION("disks") {
    CHECK(parent_of(said, "block:nvme0n1") == "pci:0000:18:00.0");
    CHECK(parent_of(said, "block:nvme1n1") == "pci:0000:19:00.0");
    CHECK(parent_of(said, "block:sda") == "pci:0000:00:1f.2");
    CHECK(said.device("block:sda")->name == "EXAMPLE HDD");
    CHECK(fact_of(said, "block:nvme0n1", "size_bytes") == std::to_string(7501476528 * 512));
    CHECK(fact_of(said, "block:nvme0n1", "serial") == "Snvme0");
    for (const char* none : {"block:nvme1c1n1", "block:sr0", "block:loop0"}) {
      CAPTURE(none);
      CHECK(said.device(none) == nullptr);
    }
  }
  SECTION("network") {
    CHECK(parent_of(said, "net:eth0") == "pci:0000:84:00.0");
    CHECK(fact_of(said, "net:eth0", "speed_mbits") == "100000");
    CHECK(fact_of(said, "net:eth0", "mtu_bytes") == "9000");
    CHECK(fact_of(said, "net:ib0", "speed_mbits").empty());
    CHECK(said.device("net:lo") == nullptr);
    CHECK(parent_of(said, "ib:mlx5_0/1") == "pci:0000:83:00.0");
    CHECK(fact_of(said, "ib:mlx5_0/1", "state") == "ACTIVE");
    CHECK(fact_of(said, "ib:mlx5_0/1", "rate") == "400 Gb/sec (4X NDR)");
    CHECK(fact_of(said, "ib:mlx5_0/1", "adapter_type") == "MT4129");
  }
}

TEST_CASE("host.inventory: what a captured tree does not hold is not counted") {
  SysrootFixture machine;
  add_cpus(machine);
  const auto said = take_inventory(machine);
  CHECK(std::holds_alternative<Done>(said.last()));
  CHECK(said.value("packages") == 2);
  for (const char* metric : {"pci_devices", "gpus", "nics", "block_devices", "net_devices"}) {
    CAPTURE(metric);
    CHECK_FALSE(said.has_measured(metric, ""));
  }
  CHECK(said.has_note("/sys/bus/pci/devices is not there"));
}

TEST_CASE("host.inventory: a tree without CPUs is trouble, and never answered from the CPU that runs the test") {
  SysrootFixture machine;
  add_pci_tree(machine);
  const auto said = take_inventory(machine);
  REQUIRE(std::holds_alternative<Troubled>(said.last()));
  CHECK(std::get<Troubled>(said.last()).why.find("hwloc finds no CPUs in") == 0);
  CHECK_FALSE(said.has_measured("packages", ""));
}

TEST_CASE("host.inventory: the user's hwloc variables do not change what is measured") {
  SysrootFixture machine;
  add_cpus(machine);
  ::setenv("HWLOC_SYNTHETIC", "pack:5 core:3 pu:1", 1);
  ::setenv("HWLOC_COMPONENTS", "synthetic", 1);
  const auto said = take_inventory(machine);
  ::unsetenv("HWLOC_SYNTHETIC");
  ::unsetenv("HWLOC_COMPONENTS");
  CHECK(said.value("packages") == 2);
  CHECK(said.value("cores") == 4);
}
