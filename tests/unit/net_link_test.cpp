#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "checks/net/ethernet_interface.h"
#include "tests/support/check_reports.h"
#include "tests/support/meanwhile.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof;
using namespace rackproof::testing;

namespace {

constexpr const char* kPlace = "pci0000:00/0000:00:01.0/0000:01:00.";

std::string folder_of(const std::string& name) { return "/sys/class/net/" + name + "/"; }

// One function of a card; `number` is its function on PCI.
void add_interface(SysrootFixture& machine, const std::string& name, int number) {
  const std::string place = kPlace + std::to_string(number);
  add_pci(machine, {place, "0x020000", "0x15b3"});
  machine.link("/sys/class/net/" + name, "../../devices/" + place + "/net/" + name);
  machine.link("/sys/devices/" + place + "/net/" + name + "/device", "../../../0000:01:00." + std::to_string(number));
  const std::string folder = folder_of(name);
  machine.file(folder + "type", "1");
  machine.file(folder + "operstate", "up");
  machine.file(folder + "carrier", "1");
  machine.file(folder + "carrier_changes", "3");
  machine.file(folder + "speed", "100000");
  machine.file(folder + "duplex", "full");
  machine.file(folder + "mtu", "9000");
  for (const char* counter : {"rx_errors", "rx_crc_errors", "tx_errors", "tx_carrier_errors", "rx_dropped", "rx_missed_errors",
                              "tx_dropped"}) {
    machine.file(folder + "statistics/" + counter, "5");
  }
}

void add_bond(SysrootFixture& machine) {
  machine.file("/sys/devices/virtual/net/bond0/bonding/mode", "802.3ad 4");
  machine.file("/sys/devices/virtual/net/bond0/bonding/mii_status", "up");
  machine.file("/sys/devices/virtual/net/bond0/bonding/slaves", "eth0 eth1");
  machine.link("/sys/class/net/bond0", "../../devices/virtual/net/bond0");
  for (const std::string name : {"eth0", "eth1"}) {
    machine.file(folder_of(name) + "bonding_slave/state", "active");
    machine.file(folder_of(name) + "bonding_slave/mii_status", "up");
    machine.file(folder_of(name) + "bonding_slave/link_failure_count", "1");
  }
}

CheckReports measure(const SysrootFixture& machine, const std::vector<std::string>& args = {"window=0 s"}) {
  return run_check_library("net.link", machine.directory(), args);
}

// Replaced in one step, as no reader of /sys sees half a text.
void replace(SysrootFixture& machine, const std::string& path, const std::string& text) {
  machine.file(path + ".new", text);
  std::filesystem::rename(machine.directory() + path + ".new", machine.directory() + path);
}

}  // namespace

TEST_CASE("net.link: an interface tells its link, and what its counters rose by") {
  SysrootFixture machine;
  add_interface(machine, "eth0", 0);
  const auto said = measure(machine, {"window=50 ms"});
  CHECK(std::holds_alternative<Done>(said.last()));
  CHECK(said.value("carrier", "net:eth0") == 1);
  CHECK(said.value("speed", "net:eth0") == 100);
  CHECK(said.value("duplex", "net:eth0") == 2);
  CHECK(said.value("mtu", "net:eth0") == 9000);
  for (const char* counter : {"carrier_changes", "receive_errors", "checksum_errors", "transmit_errors", "carrier_errors",
                              "receive_drops", "receive_missed", "transmit_drops"}) {
    CAPTURE(counter);
    CHECK(said.value(counter, "net:eth0") == 0);
  }
  CHECK(said.value("interfaces") == 1);
  REQUIRE(said.device("net:eth0") != nullptr);
  CHECK(said.device("net:eth0")->parent == "pci:0000:01:00.0");
  CHECK(fact(said.device("net:eth0")->facts, "state") == "up");
  CHECK(fact(said.device("net:eth0")->facts, "carrier_changes_total") == "3");
}

TEST_CASE("net.link: only Ethernet interfaces of hardware are measured") {
  SysrootFixture machine;
  add_interface(machine, "eth0", 0);
  add_interface(machine, "wlan0", 1);
  machine.file(folder_of("wlan0") + "phy80211/index", "0");
  add_interface(machine, "ib0", 2);
  machine.file(folder_of("ib0") + "type", "32");
  add_interface(machine, "ib1", 3);
  machine.remove("/sys/devices/" + std::string(kPlace) + "3/net/ib1/type");
  machine.file("/sys/bus/pci/devices/0000:01:00.3/class", "0x020700");
  machine.file("/sys/devices/virtual/net/lo/type", "772");
  machine.link("/sys/class/net/lo", "../../devices/virtual/net/lo");
  const auto found = ethernet_interfaces(SysRoot(machine.directory()));
  REQUIRE(found.size() == 1);
  CHECK(found.front().name == "eth0");
}

TEST_CASE("net.link: what a virtual machine does not say is named, and never measured") {
  SysrootFixture machine;
  add_interface(machine, "eth0", 0);
  add_interface(machine, "eth1", 1);
  for (const std::string name : {"eth0", "eth1"}) {
    machine.file(folder_of(name) + "speed", "-1");
    machine.file(folder_of(name) + "duplex", "unknown");
  }
  const auto said = measure(machine);
  CHECK_FALSE(said.has_measured("speed", "net:eth0"));
  CHECK_FALSE(said.has_measured("duplex", "net:eth0"));
  CHECK(said.has_note("not said, and so not measured, on net:eth0, net:eth1: speed, duplex"));
}

TEST_CASE("net.link: a link that is lost, slower or of one direction at a time shows") {
  SysrootFixture machine;
  for (int i = 0; i < 3; ++i) add_interface(machine, "eth" + std::to_string(i), i);
  machine.file(folder_of("eth0") + "carrier", "0");
  machine.file(folder_of("eth0") + "speed", "-1");
  machine.file(folder_of("eth1") + "speed", "25000");
  machine.file(folder_of("eth2") + "duplex", "half");
  const auto said = measure(machine);
  CHECK(said.value("carrier", "net:eth0") == 0);
  CHECK_FALSE(said.has_measured("speed", "net:eth0"));
  CHECK(said.value("speed", "net:eth1") == 25);
  CHECK(said.value("duplex", "net:eth2") == 1);
}

TEST_CASE("net.link: a flap and errors within the window are that interface's") {
  SysrootFixture machine;
  add_interface(machine, "eth0", 0);
  add_interface(machine, "eth1", 1);
  const Meanwhile flapping([&](int i) {
    replace(machine, folder_of("eth1") + "carrier", i % 4 < 2 ? "1" : "0");
    replace(machine, folder_of("eth1") + "carrier_changes", std::to_string(3 + i / 2));
    replace(machine, folder_of("eth1") + "statistics/rx_crc_errors", std::to_string(10 * i));
  });
  const auto said = measure(machine, {"window=500 ms"});
  CHECK(said.value("carrier", "net:eth1") == 0);
  CHECK(said.value("carrier_changes", "net:eth1") >= 1);
  CHECK(said.value("checksum_errors", "net:eth1") >= 10);
  CHECK(said.value("carrier", "net:eth0") == 1);
  CHECK(said.value("carrier_changes", "net:eth0") == 0);
}

TEST_CASE("net.link: a bond tells how many of its members carry, and each member of which bond it is") {
  SysrootFixture machine;
  add_interface(machine, "eth0", 0);
  add_interface(machine, "eth1", 1);
  add_interface(machine, "eth2", 2);
  add_bond(machine);
  machine.file(folder_of("eth1") + "bonding_slave/mii_status", "down");
  machine.file(folder_of("eth1") + "bonding_slave/state", "backup");
  const auto said = measure(machine);
  CHECK(said.value("bond_members", "net:bond0") == 2);
  CHECK(said.value("bond_members_up", "net:bond0") == 1);
  CHECK(said.value("bond_members_active", "net:bond0") == 1);
  CHECK(said.has_note("net:bond0: the link of its member eth1 is not up"));
  REQUIRE(said.device("net:bond0") != nullptr);
  CHECK(said.device("net:bond0")->kind == "bond");
  CHECK(fact(said.device("net:bond0")->facts, "mode") == "802.3ad");
  CHECK(fact(said.device("net:bond0")->facts, "mii_status") == "up");
  CHECK(fact(said.device("net:eth1")->facts, "bond") == "bond0");
  CHECK(fact(said.device("net:eth1")->facts, "bond_mii_status") == "down");
  CHECK(fact(said.device("net:eth1")->facts, "bond_link_failures") == "1");
  CHECK(fact(said.device("net:eth2")->facts, "bond").empty());
  CHECK(measure(machine, {"window=0 s", "devices=eth2"}).device("net:bond0") == nullptr);
}

TEST_CASE("net.link: it skips where no interface is hardware, or none has such a name") {
  SysrootFixture machine;
  const auto bare = measure(machine);
  REQUIRE(std::holds_alternative<Skipped>(bare.last()));
  CHECK(std::get<Skipped>(bare.last()).why == "this machine has no Ethernet interface that is hardware");
  add_interface(machine, "eth0", 0);
  const auto none = measure(machine, {"devices=ens*"});
  REQUIRE(std::holds_alternative<Skipped>(none.last()));
  CHECK(std::get<Skipped>(none.last()).why == "no Ethernet interface has a name like 'ens*'");
}
