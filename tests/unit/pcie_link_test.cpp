#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "checks/api/pci.h"
#include "checks/pcie/link_facts.h"
#include "tests/support/check_reports.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof;
using namespace rackproof::testing;

namespace {

constexpr const char* kGen4 = "16.0 GT/s PCIe";
constexpr const char* kGen5 = "32.0 GT/s PCIe";

}  // namespace

TEST_CASE("pcie.link: all text forms of a speed are read, and nothing else is") {
  CHECK(link_speed_gts("32.0 GT/s PCIe") == 32.0);
  CHECK(link_speed_gts("8 GT/s") == 8.0);
  CHECK(link_speed_gts("8.0 GT/s PCIe") == 8.0);
  CHECK(link_speed_gts("2.5 GT/s") == 2.5);
  for (const char* none : {"Unknown", "Unknown speed", "", "0 GT/s", "-8 GT/s", "8", "8 MHz", "8 GT/sec", "66 MHz PCI",
                           "nan GT/s", " 8 GT/s"}) {
    CAPTURE(none);
    CHECK_FALSE(link_speed_gts(none).has_value());
  }
}

TEST_CASE("pcie.link: only widths that PCIe has are widths") {
  for (const int width : {1, 2, 4, 8, 12, 16, 32}) CHECK(link_width_lanes(width) == width);
  for (const int none : {0, 3, 63, 255, -1}) CHECK_FALSE(link_width_lanes(none).has_value());
  CHECK_FALSE(link_width_lanes(std::nullopt).has_value());
}

TEST_CASE("pcie.link: a link can do what the lesser of its ends can, speed and width each on its own") {
  CHECK(lesser({32, 8}, {16, 16}) == PciLink{16, 8});
  CHECK(holds_back({16, 16}, {32, 16}));
  CHECK(holds_back({32, 8}, {16, 16}));
  CHECK_FALSE(holds_back({32, 16}, {32, 16}));
  CHECK_FALSE(holds_back({32, 16}, {16, 4}));
}

TEST_CASE("pcie.link: the bandwidth is what line encoding leaves") {
  CHECK(bandwidth_gbs({2.5, 1}) == Approx(0.25));
  CHECK(bandwidth_gbs({5, 4}) == Approx(2.0));
  CHECK(bandwidth_gbs({8, 16}) == Approx(15.7538).epsilon(1e-5));
  CHECK(bandwidth_gbs({32, 16}) == Approx(63.0154).epsilon(1e-5));
  CHECK(bandwidth_gbs({64, 16}) == Approx(128.0));
}

TEST_CASE("pcie.link: a watched link shows its most and its least") {
  LinkWatch watch;
  watch.look(std::nullopt);
  CHECK_FALSE(watch.has_seen());
  CHECK_FALSE(watch.varied());
  watch.look(PciLink{2.5, 16});
  CHECK_FALSE(watch.varied());
  watch.look(PciLink{32, 8});
  watch.look(std::nullopt);
  CHECK(watch.highest() == PciLink{32, 16});
  CHECK(watch.lowest() == PciLink{2.5, 8});
  CHECK(watch.varied());
  CHECK(watch.looks() == 4);
  CHECK(watch.seen() == 2);
}

TEST_CASE("pcie.link: a PCI address is told from other parts of a path") {
  CHECK(last_pci_address("../../devices/pci0000:00/0000:00:01.0/0000:17:00.0/net/eth0") == "0000:17:00.0");
  CHECK(last_pci_address("../../../devices/pci0000:e0/0000:e0:00.5/pci10000:00/10000:00:01.0") == "10000:00:01.0");
  CHECK(last_pci_address("../devices/virtual/block/loop0").empty());
  CHECK(last_pci_address("0000:17:00").empty());
  CHECK(last_pci_address("0000:17:0x.0").empty());
  CHECK(last_pci_address("").empty());
}

TEST_CASE("pcie.link: the kind of a PCI device follows from class and vendor") {
  CHECK(pci_kind(0x030200, 0x10de) == "gpu");
  CHECK(pci_kind(0x030000, 0x10de) == "gpu");
  CHECK(pci_kind(0x120000, 0x1002) == "gpu");
  CHECK(pci_kind(0x120000, 0x1da3) == "accelerator");
  CHECK(pci_kind(0x030000, 0x1a03) == "display");
  CHECK(pci_kind(0x068000, 0x10de) == "nvswitch");
  CHECK(pci_kind(0x020700, 0x15b3) == "nic");
  CHECK(pci_kind(0x010802, 0x144d) == "nvme");
  CHECK(pci_kind(0x010601, 0x8086) == "pci");
  CHECK(pci_kind(0x060400, 0x8086) == "bridge");
}

TEST_CASE("pcie.link: the tree tells which devices end a link") {
  SysrootFixture machine;
  add_pci_tree(machine);
  const SysRoot root(machine.directory());
  const auto port_of = [&](std::string_view address) {
    for (const PciDevice& device : pci_devices(root)) {
      if (device.address == address) return device.port;
    }
    return std::string("not there");
  };
  CHECK(port_of("0000:00:01.0").empty());                  // root port
  CHECK(port_of("0000:17:00.0") == "0000:00:01.0");        // below a root port
  CHECK(port_of("0000:81:00.0") == "0000:80:01.0");        // upstream port of a switch
  CHECK(port_of("0000:82:00.0").empty());                  // downstream port of a switch
  CHECK(port_of("0000:83:00.0") == "0000:82:00.0");        // below a switch
  CHECK(port_of("0000:03:00.0").empty());                  // behind a bridge to conventional PCI
  CHECK(port_of("0000:00:1f.3").empty());                  // integrated
}

TEST_CASE("pcie.link: speed without lanes, or lanes without speed, is no link") {
  SysrootFixture machine;
  add_pci(machine, {"pci0000:00/0000:00:01.0", "0x060400", "0x8086", "0x1", "2.5 GT/s PCIe", 0, "Unknown", 16});
  const SysRoot root(machine.directory());
  CHECK_FALSE(pci_link(root, "0000:00:01.0", "current").has_value());
  CHECK_FALSE(pci_link(root, "0000:00:01.0", "max").has_value());
  CHECK_FALSE(pci_link(root, "0000:00:02.0", "max").has_value());
}

TEST_CASE("pcie.link: a tree whose links lead in a circle ends the walk") {
  SysrootFixture machine;
  machine.file("/sys/devices/a/0000:00:01.0/class", "0x060400");
  machine.file("/sys/devices/a/0000:00:02.0/class", "0x060400");
  machine.link("/sys/devices/0000:00:02.0", "a");
  machine.link("/sys/devices/0000:00:01.0", "a");
  machine.link("/sys/bus/pci/devices/0000:00:01.0", "../../../devices/0000:00:02.0/0000:00:01.0");
  machine.link("/sys/bus/pci/devices/0000:00:02.0", "../../../devices/0000:00:01.0/0000:00:02.0");
  CHECK(pci_devices(SysRoot(machine.directory())).size() == 2);
}

TEST_CASE("pcie.link: each link is measured against what both its ends can do") {
  SysrootFixture machine;
  add_pci_tree(machine);
  const auto said = run_check_library("pcie.link", machine.directory(), {"watch=0 s"});
  CHECK(std::holds_alternative<Done>(said.last()));

  SECTION("a GPU on half its lanes") {
    const char* gpu = "pci:0000:17:00.0";
    CHECK(said.value("width", gpu) == 8);
    CHECK(said.value("width_capable", gpu) == 16);
    CHECK(said.value("speed", gpu) == 32);
    CHECK(said.value("speed_capable", gpu) == 32);
    CHECK(said.value("bandwidth", gpu) == Approx(31.5077).epsilon(1e-5));
    REQUIRE(said.device(gpu) != nullptr);
    CHECK(said.device(gpu)->kind == "gpu");
    CHECK(said.device(gpu)->parent == "pci:0000:00:01.0");
    REQUIRE(said.device("pci:0000:00:01.0") != nullptr);
    CHECK(said.device("pci:0000:00:01.0")->parent == "pci:0000:00");
    CHECK(fact(said.device("pci:0000:00:01.0")->facts, "link_width_max_lanes") == "16");
    CHECK(said.has_note("pci:0000:17:00.0 is suspended"));
  }
  SECTION("a disk whose port could do more runs as fast as it can") {
    const char* disk = "pci:0000:18:00.0";
    CHECK(said.value("speed", disk) == said.value("speed_capable", disk));
    CHECK(said.value("width", disk) == said.value("width_capable", disk));
    CHECK(said.value("port_width_capable", disk) == 16);
    CHECK_FALSE(said.has_note("pci:0000:18:00.0 can do"));
  }
  SECTION("an adapter trained two generations down") {
    const char* adapter = "pci:0000:83:00.0";
    CHECK(said.value("speed", adapter) == 8);
    CHECK(said.value("speed_capable", adapter) == 32);
    CHECK(said.value("speed_lowest", adapter) == 8);
    const Link* link = said.link("pci:0000:82:00.0", adapter);
    REQUIRE(link != nullptr);
    CHECK(link->kind == "pcie");
    CHECK(fact(link->facts, "speed_gts") == "8");
    CHECK(fact(link->facts, "speed_capable_gts") == "32");
    CHECK(fact(link->facts, "width_lanes") == "16");
    CHECK(fact(link->facts, "width_capable_lanes") == "16");
  }
  SECTION("a card for 16 lanes in a slot of 8 does what the slot can") {
    const char* card = "pci:0000:84:00.0";
    CHECK(said.value("width", card) == 8);
    CHECK(said.value("width_capable", card) == 8);
    CHECK(said.value("device_width_capable", card) == 16);
    CHECK(said.value("port_width_capable", card) == 8);
    CHECK(said.has_note("pci:0000:84:00.0 can do 32 GT/s x16, the port above it, pci:0000:82:01.0, only 32 GT/s x8"));
  }
  SECTION("the link of the switch itself") {
    CHECK(said.value("speed", "pci:0000:81:00.0") == 16);
    CHECK(said.link("pci:0000:80:01.0", "pci:0000:81:00.0") != nullptr);
    CHECK(said.link("pci:0000:81:00.0", "pci:0000:82:00.0") == nullptr);
  }
  SECTION("what says nothing is named, and never measured") {
    CHECK(said.has_note("pci:0000:00:1f.2"));
    CHECK(said.has_note("pci:0000:00:1f.3: its link is \"Unknown\""));
    CHECK(said.has_note("pci:0000:84:00.1: a virtual function"));
    for (const char* silent : {"pci:0000:00:1f.2", "pci:0000:00:1f.3", "pci:0000:84:00.1", "pci:0000:80:02.0"}) {
      CAPTURE(silent);
      CHECK_FALSE(said.has_measured("speed", silent));
      CHECK_FALSE(said.has_measured("speed_capable", silent));
    }
  }
}

TEST_CASE("pcie.link: the two ends of a link may disagree, and that is said") {
  SysrootFixture machine;
  add_pci(machine, {"pci0000:00/0000:00:01.0", "0x060400", "0x8086", "0x1", kGen4, 16, kGen5, 16});
  add_pci(machine, {"pci0000:00/0000:00:01.0/0000:01:00.0", "0x030200", "0x10de", "0x1", kGen5, 16, kGen5, 16});
  const auto said = run_check_library("pcie.link", machine.directory(), {"watch=0 s"});
  CHECK(said.value("speed", "pci:0000:01:00.0") == 32);
  CHECK(said.has_note("disagree: pci:0000:01:00.0 says 32 GT/s x16, pci:0000:00:01.0 says 16 GT/s x16"));
}

TEST_CASE("pcie.link: without a port above it a device is measured against itself") {
  SysrootFixture machine;
  add_pci(machine, {"pci0000:00/0000:00:05.0", "0x030200", "0x10de", "0x1", kGen4, 16, kGen5, 16});
  const auto said = run_check_library("pcie.link", machine.directory(), {"watch=0 s"});
  CHECK(said.value("speed_capable", "pci:0000:00:05.0") == 32);
  CHECK_FALSE(said.has_measured("port_speed_capable", "pci:0000:00:05.0"));
  CHECK(said.has_note("no port above it"));
  CHECK_FALSE(said.has_note("only 0 GT/s"));
}

TEST_CASE("pcie.link: devices are chosen by class and by address") {
  SysrootFixture machine;
  add_pci_tree(machine);
  const auto measured = [&](const std::vector<std::string>& args) {
    std::vector<std::string> all{"watch=0 s"};
    all.insert(all.end(), args.begin(), args.end());
    std::vector<std::string> devices;
    for (const Report& report : run_check_library("pcie.link", machine.directory(), all).reports) {
      const auto* measurement = std::get_if<Measurement>(&report);
      if (measurement != nullptr && measurement->metric == "speed") devices.push_back(measurement->device);
    }
    return devices;
  };
  using List = std::vector<std::string>;
  CHECK(measured({"class=gpu"}) == List{"pci:0000:17:00.0"});
  CHECK(measured({"class=nvme"}) == List{"pci:0000:18:00.0", "pci:0000:19:00.0"});
  CHECK(measured({"class=nic"}) == List{"pci:0000:83:00.0", "pci:0000:84:00.0"});
  CHECK(measured({"devices=0000:8[34]:*"}) == List{"pci:0000:83:00.0", "pci:0000:84:00.0"});
  CHECK(measured({"devices=pci:0000:17:00.0"}) == List{"pci:0000:17:00.0"});
}

TEST_CASE("pcie.link: it skips where nothing says anything about a link") {
  SysrootFixture machine;
  const auto why = [&](const std::vector<std::string>& args) {
    const auto said = run_check_library("pcie.link", machine.directory(), args);
    const auto* skipped = std::get_if<Skipped>(&said.last());
    return skipped == nullptr ? "no skip" : skipped->why;
  };
  CHECK(why({}) == "this machine has no PCI devices");
  add_pci(machine, {.place = "pci0000:00/0000:00:02.0", .class_code = "0x018000", .vendor = "0x1af4"});
  add_pci(machine, {"pci0000:00/0000:00:1f.3", "0x040300", "0x8086", "0x1", "Unknown", 0, "Unknown", 255});
  CHECK(why({}) == "none of the 2 PCI devices says anything about its link (a virtual machine?)");
  CHECK(why({"class=gpu"}) == "no PCI device of class 'gpu' has an address like '*'");
}

TEST_CASE("pcie.link: a time that cannot be watched is trouble") {
  SysrootFixture machine;
  add_pci_tree(machine);
  for (const char* watch : {"watch=-1 s", "watch=2 h", "watch=5 GB"}) {
    CAPTURE(watch);
    CHECK(std::holds_alternative<Troubled>(run_check_library("pcie.link", machine.directory(), {watch}).last()));
  }
}

TEST_CASE("pcie.link: a link that is down now is not measured by what it could do") {
  SysrootFixture machine;
  add_pci(machine, {"pci0000:00/0000:00:01.0", "0x060400", "0x8086", "0x1", kGen5, 16, kGen5, 16});
  // All ones, as a device without power reads.
  add_pci(machine, {"pci0000:00/0000:00:01.0/0000:01:00.0", "0x030200", "0x10de", "0x1", "Unknown", 63, kGen5, 16});
  add_pci(machine, {"pci0000:00/0000:00:05.0", "0x030200", "0x10de", "0x1", kGen4, 16, kGen5, 16});
  const auto said = run_check_library("pcie.link", machine.directory(), {"watch=0 s"});
  CHECK_FALSE(said.has_measured("speed_capable", "pci:0000:01:00.0"));
  CHECK(said.has_note("not measured: pci:0000:01:00.0"));
}
