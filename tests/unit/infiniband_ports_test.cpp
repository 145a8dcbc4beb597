#include <catch2/catch.hpp>
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "checks/infiniband/adapter_port.h"
#include "checks/infiniband/nearest_gpu.h"
#include "checks/infiniband/port_watch.h"
#include "tests/support/check_reports.h"
#include "tests/support/meanwhile.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof;
using namespace rackproof::testing;

namespace {

constexpr const char* kBridge = "0x060400";
constexpr const char* kGen4 = "16.0 GT/s PCIe";
constexpr const char* kGen5 = "32.0 GT/s PCIe";

struct Adapter {
  std::string name;
  std::string place;  // of its PCI function, below /sys/devices
  std::string layer = "InfiniBand";
  std::string rate = "400 Gb/sec (4X NDR)";
};

std::string port_of(const std::string& adapter) { return "/sys/class/infiniband/" + adapter + "/ports/1/"; }

void add_adapter(SysrootFixture& machine, const Adapter& adapter) {
  const std::string inner = adapter.place + "/infiniband/" + adapter.name;
  machine.link("/sys/class/infiniband/" + adapter.name, "../../devices/" + inner);
  machine.link("/sys/devices/" + inner + "/device", "../../../" + adapter.place.substr(adapter.place.rfind('/') + 1));
  machine.file("/sys/devices/" + inner + "/hca_type", "MT4129");
  machine.file("/sys/devices/" + inner + "/board_id", "MT_0000000838");
  machine.file("/sys/devices/" + inner + "/fw_ver", "28.39.1002");
  machine.file("/sys/devices/" + inner + "/node_guid", "0200:0000:0000:000a");
  const std::string port = port_of(adapter.name);
  machine.file(port + "link_layer", adapter.layer);
  machine.file(port + "state", "4: ACTIVE");
  machine.file(port + "phys_state", "5: LinkUp");
  machine.file(port + "rate", adapter.rate);
  machine.file(port + "lid", adapter.layer == "InfiniBand" ? "0x12" : "0x0");
  machine.file(port + "sm_lid", "0x1");
  machine.file(port + "gids/0", "fe80:0000:0000:0000:0200:0000:0000:000a");
  machine.file(port + "gids/1", "0000:0000:0000:0000:0000:0000:0000:0000");
  for (const char* counter : {"symbol_error", "link_downed", "link_error_recovery", "port_rcv_errors", "port_xmit_discards",
                              "port_xmit_wait", "local_link_integrity_errors", "VL15_dropped"}) {
    machine.file(port + "counters/" + counter, "0");
  }
  machine.file(port + "hw_counters/out_of_sequence", "7");
}

void add_function(SysrootFixture& machine, const std::string& place, const char* device_class, int lanes, const char* speed) {
  add_pci(machine, {place, device_class, "0x15b3", "0x1021", speed, lanes, kGen5, 16});
}

// A switch with a GPU and two adapters on the first package, and an adapter alone on a root port of the second.
constexpr const char* kSwitch = "pci0000:00/0000:00:01.0/0000:01:00.0/";

void build(SysrootFixture& machine) {
  const std::string below = kSwitch;
  add_pci(machine, {"pci0000:00/0000:00:01.0", kBridge, "0x8086"});
  add_pci(machine, {"pci0000:00/0000:00:01.0/0000:01:00.0", kBridge, "0x1000"});
  for (const std::string port : {"0000:02:00.0", "0000:02:01.0", "0000:02:02.0"}) {
    add_pci(machine, {below + port, kBridge, "0x1000"});
  }
  add_pci(machine, {below + "0000:02:00.0/0000:03:00.0", "0x030200", "0x10de"});
  add_function(machine, below + "0000:02:01.0/0000:04:00.0", "0x020700", 16, kGen5);
  add_function(machine, below + "0000:02:02.0/0000:05:00.0", "0x020700", 16, kGen5);
  add_pci(machine, {"pci0000:80/0000:80:01.0", kBridge, "0x8086"});
  add_function(machine, "pci0000:80/0000:80:01.0/0000:81:00.0", "0x020700", 16, kGen5);
  add_adapter(machine, {"mlx5_0", below + "0000:02:01.0/0000:04:00.0"});
  add_adapter(machine, {"mlx5_1", below + "0000:02:02.0/0000:05:00.0"});
  add_adapter(machine, {"mlx5_2", "pci0000:80/0000:80:01.0/0000:81:00.0"});
}

CheckReports measure(const SysrootFixture& machine, const std::vector<std::string>& args = {"window=0 s"}) {
  return run_check_library("infiniband.ports", machine.directory(), args);
}

// Replaced in one step, as no reader of /sys sees half a text.
void replace(SysrootFixture& machine, const std::string& path, const std::string& text) {
  machine.file(path + ".new", text);
  std::filesystem::rename(machine.directory() + path + ".new", machine.directory() + path);
}

}  // namespace

TEST_CASE("infiniband.ports: states and rates are read as the kernel writes them, and nothing else is") {
  CHECK(parse_port_state("4: ACTIVE") == PortState{4, "ACTIVE"});
  CHECK(parse_port_state("7: Phy Test") == PortState{7, "Phy Test"});
  CHECK(parse_port_rate("400 Gb/sec (4X NDR)") == PortRate{400, 4, "NDR"});
  CHECK(parse_port_rate("2.5 Gb/sec (1X SDR)") == PortRate{2.5, 1, "SDR"});
  CHECK(parse_port_rate("10 Gb/sec (4X)") == PortRate{10, 4, ""});
  for (const char* none : {"", "ACTIVE", "4", "4:", "4: ", "x: ACTIVE"}) {
    CAPTURE(none);
    CHECK_FALSE(parse_port_state(none).has_value());
  }
  for (const char* none :
       {"", "400", "400 Gb/sec", "0 Gb/sec (4X SDR)", "400 Gb/sec (X NDR)", "-1 Gb/sec (4X)", "40 GB/s (4X)"}) {
    CAPTURE(none);
    CHECK_FALSE(parse_port_rate(none).has_value());
  }
}

TEST_CASE("infiniband.ports: of many looks at a port the worst counts, and of its slot the best") {
  PortWatch watch;
  const PortState active{4, "ACTIVE"};
  const PortState up{5, "LinkUp"};
  watch.look({active, up, PortRate{400, 4, "NDR"}});
  watch.look({PortState{1, "DOWN"}, PortState{2, "Polling"}, PortRate{10, 4, "SDR"}});
  watch.look({active, up, PortRate{200, 2, "NDR"}});
  watch.look({active, up, PortRate{400, 4, "NDR"}});
  CHECK(watch.state() == PortState{1, "DOWN"});
  CHECK(watch.physical() == PortState{2, "Polling"});
  CHECK(watch.rate() == PortRate{200, 2, "NDR"});  // what it said without a link is no rate
  CHECK(watch.changes() == 2);
  watch.look_at_slot(PciLink{2.5, 16});
  watch.look_at_slot(std::nullopt);
  watch.look_at_slot(PciLink{32, 8});
  CHECK(watch.slot() == PciLink{32, 16});
}

TEST_CASE("infiniband.ports: a healthy port tells its states, its rate and its slot") {
  SysrootFixture machine;
  build(machine);
  const auto said = measure(machine, {"window=100 ms"});
  CHECK(std::holds_alternative<Done>(said.last()));
  const char* port = "ib:mlx5_0/1";
  CHECK(said.value("state", port) == 4);
  CHECK(said.value("physical_state", port) == 5);
  CHECK(said.value("state_changes", port) == 0);
  CHECK(said.value("rate", port) == 400);
  CHECK(said.value("rate_alike", port) == 400);
  CHECK(said.value("width", port) == 4);
  CHECK(said.value("pcie_bandwidth", port) == Approx(504.12).epsilon(1e-4));
  CHECK(said.value("rate_share", port) == Approx(79.35).epsilon(1e-4));
  CHECK(said.value("symbol_errors", port) == 0);
  CHECK(said.value("out_of_sequence", port) == 0);
  CHECK(said.value("errors", port) == 0);
  CHECK(said.value("adapters") == 3);
  CHECK(said.value("ports") == 3);
  CHECK(said.value("ports_active") == 3);
  CHECK(said.value("controllers_without_driver") == 0);

  REQUIRE(said.device(port) != nullptr);
  CHECK(said.device(port)->kind == "port");
  CHECK(said.device(port)->parent == "pci:0000:04:00.0");
  const Facts& facts = said.device(port)->facts;
  CHECK(fact(facts, "link_layer") == "InfiniBand");
  CHECK(fact(facts, "lid") == "18");
  CHECK(fact(facts, "sm_lid") == "1");
  CHECK(fact(facts, "port_guid") == "0200:0000:0000:000a");
  CHECK(fact(facts, "gids") == "0: fe80:0000:0000:0000:0200:0000:0000:000a");
  CHECK(fact(facts, "generation") == "NDR");
  CHECK(fact(facts, "out_of_sequence_total") == "7");

  REQUIRE(said.device("pci:0000:04:00.0") != nullptr);
  CHECK(said.device("pci:0000:04:00.0")->kind == "nic");
  CHECK(said.device("pci:0000:04:00.0")->parent == "pci:0000:02:01.0");
  const Facts& nic = said.device("pci:0000:04:00.0")->facts;
  CHECK(fact(nic, "adapter") == "mlx5_0");
  CHECK(fact(nic, "adapter_type") == "MT4129");
  CHECK(fact(nic, "board") == "MT_0000000838");
  CHECK(fact(nic, "firmware") == "28.39.1002");
  CHECK(fact(nic, "node_guid") == "0200:0000:0000:000a");
  CHECK(fact(nic, "numa_node") == "0");
  // Counters that the port does not show are named, and not measured as 0.
  CHECK(said.has_note("ib:mlx5_0/1, ib:mlx5_1/1, ib:mlx5_2/1: remote_physical_errors, buffer_overruns"));
  CHECK_FALSE(said.has_measured("buffer_overruns", port));
}

TEST_CASE("infiniband.ports: the nearest GPU is the one with the fewest bridges between, then by root bus and NUMA node") {
  SysrootFixture machine;
  build(machine);
  const SysRoot root(machine.directory());
  const auto near = [&](std::string_view adapter) {
    const auto all = pci_devices(root);
    return nearest_gpus(root, all, *std::ranges::find(all, adapter, &PciDevice::address));
  };
  CHECK(near("0000:04:00.0").addresses == std::vector<std::string>{"0000:03:00.0"});
  CHECK(near("0000:04:00.0").by == "switch");
  CHECK(near("0000:81:00.0").addresses == std::vector<std::string>{"0000:03:00.0"});
  CHECK(near("0000:81:00.0").by == "machine");

  add_pci(machine, {"pci0000:80/0000:80:03.0", kBridge, "0x8086"});
  add_pci(machine, {"pci0000:80/0000:80:03.0/0000:83:00.0", "0x030200", "0x10de"});
  add_pci(machine, {std::string(kSwitch) + "0000:02:03.0", kBridge, "0x1000"});
  add_pci(machine, {std::string(kSwitch) + "0000:02:03.0/0000:06:00.0", "0x030200", "0x10de"});
  CHECK(near("0000:81:00.0").addresses == std::vector<std::string>{"0000:83:00.0"});
  CHECK(near("0000:81:00.0").by == "root complex");
  CHECK(near("0000:04:00.0").addresses == std::vector<std::string>{"0000:03:00.0", "0000:06:00.0"});

  add_pci(machine, {"pci0000:90/0000:90:01.0", kBridge, "0x8086"});
  add_pci(machine, {"pci0000:90/0000:90:01.0/0000:91:00.0", "0x020700", "0x15b3"});
  machine.file("/sys/bus/pci/devices/0000:91:00.0/numa_node", "1");
  CHECK(near("0000:91:00.0").addresses == std::vector<std::string>{"0000:83:00.0"});
  CHECK(near("0000:91:00.0").by == "numa node");
}

TEST_CASE("infiniband.ports: a port without a link has a state and no rate") {
  SysrootFixture machine;
  build(machine);
  machine.file(port_of("mlx5_1") + "state", "1: DOWN");
  machine.file(port_of("mlx5_1") + "phys_state", "2: Polling");
  machine.file(port_of("mlx5_1") + "rate", "10 Gb/sec (4X SDR)");
  const auto said = measure(machine);
  CHECK(said.value("state", "ib:mlx5_1/1") == 1);
  CHECK(said.value("physical_state", "ib:mlx5_1/1") == 2);
  CHECK_FALSE(said.has_measured("rate", "ib:mlx5_1/1"));
  CHECK_FALSE(said.has_measured("rate_share", "ib:mlx5_1/1"));
  CHECK(said.has_measured("pcie_bandwidth", "ib:mlx5_1/1"));
  CHECK(said.value("ports_active") == 2);
  CHECK(said.value("state", "ib:mlx5_0/1") == 4);
  CHECK(said.has_note("ib:mlx5_1/1: rate (no link)"));
}

TEST_CASE("infiniband.ports: a slower port is measured against those of its make") {
  SysrootFixture machine;
  build(machine);
  machine.file(port_of("mlx5_1") + "rate", "56 Gb/sec (4X FDR)");
  machine.file("/sys/class/infiniband/mlx5_2/board_id", "MT_0000000222");
  machine.file(port_of("mlx5_2") + "rate", "200 Gb/sec (4X HDR)");
  const auto said = measure(machine);
  CHECK(said.value("rate", "ib:mlx5_1/1") == 56);
  CHECK(said.value("rate_alike", "ib:mlx5_1/1") == 400);
  CHECK(said.value("rate", "ib:mlx5_2/1") == 200);
  CHECK(said.value("rate_alike", "ib:mlx5_2/1") == 200);
}

TEST_CASE("infiniband.ports: a slot that is too narrow for its port shows") {
  SysrootFixture machine;
  build(machine);
  machine.file("/sys/bus/pci/devices/0000:05:00.0/current_link_speed", kGen4);
  machine.file("/sys/bus/pci/devices/0000:05:00.0/current_link_width", "8");
  const auto said = measure(machine);
  CHECK(said.value("pcie_bandwidth", "ib:mlx5_1/1") == Approx(126.03).epsilon(1e-4));
  CHECK(said.value("rate_share", "ib:mlx5_1/1") == Approx(317.4).epsilon(1e-3));
  CHECK(said.value("rate_share", "ib:mlx5_0/1") < 100);
}

TEST_CASE("infiniband.ports: errors that rise within the window are that port's") {
  SysrootFixture machine;
  build(machine);
  const std::string counters = port_of("mlx5_1") + "counters/";
  machine.file(counters + "port_xmit_wait", "4294967295");
  machine.file(port_of("mlx5_2") + "counters/link_error_recovery", "255");
  const Meanwhile rising([&](int i) {
    replace(machine, counters + "symbol_error", std::to_string(10 * i));
    replace(machine, counters + "port_rcv_errors", std::to_string(i));
  });
  const auto said = measure(machine, {"window=300 ms"});
  CHECK(said.value("symbol_errors", "ib:mlx5_1/1") > 0);
  CHECK(said.value("receive_errors", "ib:mlx5_1/1") > 0);
  CHECK(said.value("errors", "ib:mlx5_1/1") == said.value("receive_errors", "ib:mlx5_1/1"));
  CHECK(said.value("symbol_errors", "ib:mlx5_0/1") == 0);
  CHECK(said.value("errors", "ib:mlx5_0/1") == 0);
  CHECK_FALSE(said.has_measured("transmit_waits", "ib:mlx5_1/1"));
  CHECK(said.has_note("ib:mlx5_1/1: transmit_waits is full at 4294967295"));
  CHECK(said.has_note("ib:mlx5_2/1: link_recoveries is full at 255"));
}

TEST_CASE("infiniband.ports: a link that comes and goes within the window is seen to") {
  SysrootFixture machine;
  build(machine);
  const std::string port = port_of("mlx5_0");
  const Meanwhile flapping([&](int i) {
    replace(machine, port + "state", i % 4 < 2 ? "4: ACTIVE" : "1: DOWN");
    replace(machine, port + "counters/link_downed", std::to_string(i / 4));
  });
  const auto said = measure(machine, {"window=500 ms"});
  CHECK(said.value("state", "ib:mlx5_0/1") == 1);
  CHECK(said.value("state_changes", "ib:mlx5_0/1") >= 2);
  CHECK(said.value("link_downed", "ib:mlx5_0/1") >= 1);
  CHECK(said.value("errors", "ib:mlx5_0/1") >= 3);
  CHECK(said.has_note("ib:mlx5_0/1 changed its state"));
  CHECK(said.value("state_changes", "ib:mlx5_1/1") == 0);
  CHECK(said.value("state", "ib:mlx5_1/1") == 4);
}

TEST_CASE("infiniband.ports: a counter that was set back meanwhile is not measured") {
  SysrootFixture machine;
  build(machine);
  const std::string counter = port_of("mlx5_0") + "counters/symbol_error";
  const Meanwhile sinking([&](int i) { replace(machine, counter, std::to_string(60000 - i)); });
  const auto said = measure(machine, {"window=300 ms"});
  CHECK_FALSE(said.has_measured("symbol_errors", "ib:mlx5_0/1"));
  CHECK(said.has_note("ib:mlx5_0/1: symbol_errors went back from 59"));
}

TEST_CASE("infiniband.ports: a RoCE port tells of its network interface and how congestion is signalled") {
  SysrootFixture machine;
  const std::string place = "pci0000:00/0000:00:01.0/0000:01:00.0";
  add_pci(machine, {"pci0000:00/0000:00:01.0", kBridge, "0x8086"});
  add_function(machine, place, "0x020000", 16, kGen5);
  add_adapter(machine, {"mlx5_0", place, "Ethernet", "400 Gb/sec (4X NDR)"});
  const std::string port = port_of("mlx5_0");
  machine.file(port + "gids/3", "0000:0000:0000:0000:0000:ffff:0a00:0001");
  machine.file(port + "gid_attrs/types/0", "IB/RoCE v1");
  machine.file(port + "gid_attrs/types/3", "RoCE v2");
  machine.file(port + "gid_attrs/ndevs/0", "eth2");
  machine.file("/sys/class/net/eth2/mtu", "9000");
  for (int priority = 0; priority < 8; ++priority) {
    const std::string number = std::to_string(priority);
    machine.file("/sys/class/net/eth2/ecn/roce_np/enable/" + number, priority == 3 || priority == 5 ? "1" : "0");
    machine.file("/sys/class/net/eth2/ecn/roce_rp/enable/" + number, "0");
  }
  machine.file("/sys/class/net/eth2/qos/trust", "dscp");
  const auto said = measure(machine);
  CHECK(said.value("mtu", "ib:mlx5_0/1") == 9000);
  REQUIRE(said.device("ib:mlx5_0/1") != nullptr);
  const Facts& facts = said.device("ib:mlx5_0/1")->facts;
  CHECK(fact(facts, "netdev") == "eth2");
  CHECK(fact(facts, "ecn_notified_on") == "3 5");
  CHECK(fact(facts, "ecn_reacted_on") == "none");
  CHECK(fact(facts, "priority_by") == "dscp");
  CHECK(fact(facts, "port_guid").empty());
  CHECK(fact(facts, "gids") ==
        "0: fe80:0000:0000:0000:0200:0000:0000:000a (IB/RoCE v1), 3: 0000:0000:0000:0000:0000:ffff:0a00:0001 (RoCE v2)");
  CHECK(fact(facts, "gid_count") == "2");
}

TEST_CASE("infiniband.ports: an adapter that software makes, and a virtual function, are measured by what they have") {
  SysrootFixture machine;
  build(machine);
  machine.link("/sys/bus/pci/devices/0000:05:00.0/physfn", "../0000:04:00.0");
  machine.file("/sys/bus/pci/devices/0000:05:00.0/current_link_speed", "Unknown");
  machine.file("/sys/bus/pci/devices/0000:05:00.0/current_link_width", "0");
  machine.link("/sys/class/infiniband/rxe0", "../../devices/virtual/infiniband/rxe0");
  machine.file("/sys/devices/virtual/infiniband/rxe0/ports/1/link_layer", "Ethernet");
  machine.file("/sys/devices/virtual/infiniband/rxe0/ports/1/state", "4: ACTIVE");
  const auto said = measure(machine);
  CHECK(said.value("pcie_bandwidth", "ib:mlx5_1/1") == said.value("pcie_bandwidth", "ib:mlx5_0/1"));
  CHECK(said.value("state", "ib:rxe0/1") == 4);
  CHECK_FALSE(said.has_measured("pcie_bandwidth", "ib:rxe0/1"));
  REQUIRE(said.device("ib:rxe0/1") != nullptr);
  CHECK(said.device("ib:rxe0/1")->parent == "machine");
  CHECK(fact(said.device("ib:rxe0/1")->facts, "adapter") == "rxe0");
}

TEST_CASE("infiniband.ports: ports are chosen by name and by link layer") {
  SysrootFixture machine;
  build(machine);
  machine.file(port_of("mlx5_2") + "link_layer", "Ethernet");
  CHECK(measure(machine, {"window=0 s", "devices=mlx5_[01]/1"}).value("ports") == 2);
  CHECK(measure(machine, {"window=0 s", "devices=ib:mlx5_0/*"}).value("ports") == 1);
  CHECK(measure(machine, {"window=0 s", "link_layer=Ethernet"}).value("ports") == 1);
  const auto none = measure(machine, {"window=0 s", "devices=qib*"});
  REQUIRE(std::holds_alternative<Skipped>(none.last()));
  CHECK(std::get<Skipped>(none.last()).why == "no port of link layer 'all' has a name like 'qib*'");
}

TEST_CASE("infiniband.ports: without an adapter it skips; with a controller that has no driver it does not") {
  SysrootFixture machine;
  const auto bare = measure(machine);
  REQUIRE(std::holds_alternative<Skipped>(bare.last()));
  CHECK(std::get<Skipped>(bare.last()).why == "this machine has no InfiniBand or RoCE adapter");

  add_function(machine, "pci0000:80/0000:80:01.0/0000:83:00.0", "0x020700", 16, kGen5);
  const auto dark = measure(machine);
  REQUIRE(std::holds_alternative<Troubled>(dark.last()));
  CHECK(std::get<Troubled>(dark.last()).why.find("0000:83:00.0") != std::string::npos);

  build(machine);
  add_function(machine, "pci0000:80/0000:80:01.0/0000:83:00.1", "0x020700", 16, kGen5);
  machine.link("/sys/bus/pci/devices/0000:83:00.1/physfn", "../0000:83:00.0");
  machine.link("/sys/bus/pci/devices/0000:83:00.0/driver", "../../../bus/pci/drivers/vfio-pci");
  const auto partly = measure(machine);
  CHECK(partly.value("controllers_without_driver") == 1);
  CHECK(partly.has_note("pci:0000:83:00.0 is an InfiniBand controller"));
  CHECK(partly.has_note("vfio-pci"));
}

TEST_CASE("infiniband.ports: without a window no counter is measured, and a window that cannot be is trouble") {
  SysrootFixture machine;
  build(machine);
  const auto said = measure(machine);
  CHECK_FALSE(said.has_measured("symbol_errors", "ib:mlx5_0/1"));
  CHECK_FALSE(said.has_measured("errors", "ib:mlx5_0/1"));
  for (const char* window : {"window=-1 s", "window=2 h"}) {
    CAPTURE(window);
    CHECK(std::holds_alternative<Troubled>(measure(machine, {window}).last()));
  }
}
