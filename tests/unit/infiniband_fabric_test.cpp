#include <catch2/catch.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "checks/api/last_word.h"
#include "checks/infiniband/fabric_cabling.h"
#include "checks/infiniband/fabric_compare.h"
#include "checks/infiniband/fabric_counters.h"
#include "checks/infiniband/fabric_tools.h"
#include "checks/infiniband/fabric_topology.h"
#include "tests/support/check_reports.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof;
using namespace rackproof::testing;

namespace {

constexpr std::uint64_t kLeaf = 0x20;
constexpr std::uint64_t kHost = 0x10;  // its ports have other GUIDs: 0x11, 0x12

// Two ports of one adapter on one switch.
constexpr const char* kTopology = R"(#
# Topology file: generated on Wed Nov 25 08:53:14 2026
#
# Initiated from node 0000000000000010 port 0000000000000011

vendid=0x2c9
devid=0xd2f2
sysimgguid=0x20
switchguid=0x20(20)
Switch	41 "S-0000000000000020"		# "MF0;leaf01:MQM9700/U1" enhanced port 0 lid 6 lmc 0
[1]	"H-0000000000000010"[1](11) 		# "node01 mlx5_0" lid 19 4xNDR
[2][ext 7]	"H-0000000000000010"[2](12) 		# "node01 mlx5_0" lid 20 2xHDR s=4 w=2 v=4

vendid=0x2c9
devid=0x1021
sysimgguid=0x10
caguid=0x10
Ca	2 "H-0000000000000010"		# "node01 mlx5_0"
[1](11) 	"S-0000000000000020"[1]		# lid 19 lmc 0 "MF0;leaf01:MQM9700/U1" lid 6 4xNDR
[2](12) 	"S-0000000000000020"[2]		# lid 20 lmc 0 "MF0;leaf01:MQM9700/U1" lid 6 2xHDR
)";

constexpr const char* kStates =
    R"(0x0000000000000012 "    node01 mlx5_0"     20    2[  ] ==( 2X          53.125 Gbps Active/  LinkUp)==>  0x0000000000000020      6    2[  ] "MF0;leaf01:MQM9700/U1" (Could be 4X Could be 106.25 Gbps)
0x0000000000000020 "MF0;leaf01:MQM9700/U1"      6    1[  ] ==( 4X          106.25 Gbps Active/  LinkUp)==>  0x0000000000000011     19    1[  ] "node01 mlx5_0" ( )
0x0000000000000020 "MF0;leaf01:MQM9700/U1"      6    3[  ] ==(                Down/ Polling)==>             [  ] "" ( )
0x0000000000000099 "nobody"      6    3[  ] ==(                Down/ Polling)==>             [  ] "" ( )
)";

// Nodes "a", "b" … with as many ports as are named; links as "a1b1".
Fabric fabric_of(const std::vector<std::string>& links, const std::string& nodes = "abcdefgh") {
  Fabric fabric;
  const auto guid = [](char name) { return static_cast<std::uint64_t>(name); };
  for (const char name : nodes) {
    fabric.nodes[guid(name)] = {.kind = FabricKind::fabric_switch, .name = std::string(1, name), .ports = 9, .vendor_id = {},
                                .device_id = {}, .system_guid = {}};
  }
  for (const std::string& link : links) {
    fabric.links.push_back({{guid(link[0]), link[1] - '0'}, {guid(link[2]), link[3] - '0'}, {4, 10}});
  }
  return fabric;
}

using Kinds = std::vector<std::string>;

// "moved a1b1": what is found, beside the cabling in the same words.
Kinds compared(const std::vector<std::string>& expected, const Fabric& fabric) {
  std::string text;
  for (const std::string& link : expected) {
    text += std::string(1, link[0]) + " " + link[1] + "  " + link[2] + " " + link[3] + " " + link.substr(4) + "\n";
  }
  FabricNames names(fabric);
  const Cabling cabling = resolve(parse_cabling(text, "plan"), fabric, names, "plan");
  Kinds kinds;
  for (const FabricFinding& finding : compare(cabling.links, fabric, names)) {
    const std::string word = finding.text.substr(0, finding.text.find(':'));
    kinds.push_back(word + " " + names.node(finding.a.node) + std::to_string(finding.a.port) + names.node(finding.b.node) +
                    std::to_string(finding.b.port));
  }
  return kinds;
}

std::string why_refused(const std::string& text, const Fabric& fabric = fabric_of({})) {
  try {
    FabricNames names(fabric);
    resolve(parse_cabling(text, "plan"), fabric, names, "plan");
  } catch (const Trouble& trouble) {
    return trouble.why;
  }
  return "not refused";
}

}  // namespace

TEST_CASE("infiniband.fabric: a topology of ibnetdiscover") {
  const Fabric fabric = parse_topology(kTopology);
  REQUIRE(fabric.nodes.size() == 2);
  CHECK(fabric.nodes.at(kLeaf).name == "MF0;leaf01:MQM9700/U1");
  CHECK(fabric.nodes.at(kLeaf).kind == FabricKind::fabric_switch);
  CHECK(fabric.nodes.at(kLeaf).ports == 41);
  CHECK(fabric.nodes.at(kLeaf).lid == 6);
  CHECK(fabric.nodes.at(kLeaf).device_id == "0xd2f2");
  CHECK(fabric.nodes.at(kHost).kind == FabricKind::adapter);
  CHECK(fabric.nodes.at(kHost).device_id == "0x1021");
  CHECK(fabric.owner_of(0x12) == kHost);
  REQUIRE(fabric.links.size() == 2);
  CHECK(fabric.links[0].a == FabricEnd{kHost, 1});
  CHECK(fabric.links[0].b == FabricEnd{kLeaf, 1});
  CHECK(fabric.links[0].rate == LinkRate{4, 106.25});
  CHECK(fabric.links[1].rate == LinkRate{2, 53.125});
}

TEST_CASE("infiniband.fabric: what iblinkinfo says of ports") {
  Fabric fabric = parse_topology(kTopology);
  add_port_states(fabric, kStates);
  CHECK(fabric.ports.size() == 3);
  CHECK(fabric.capable_of(fabric.links[0]) == LinkRate{4, 106.25});
  CHECK(fabric.capable_of(fabric.links[1]) == LinkRate{4, 106.25});
  CHECK(fabric.rate_of(fabric.links[1]) == LinkRate{2, 53.125});
  const PortSaid& down = fabric.ports.at({kLeaf, 3});
  CHECK(down.state == "Down");
  CHECK(down.physical == "Polling");
  CHECK_FALSE(down.rate.lanes);
}

TEST_CASE("infiniband.fabric: FDR10, and what is not said of a link, is told apart") {
  const auto port_of = [](const std::string& link, const std::string& remark) {
    Fabric fabric = parse_topology(kTopology);
    add_port_states(fabric, "0x0000000000000012 \"node01 (b)\" 20    2[  ] ==(" + link +
                                "Active/  LinkUp)==>  0x0000000000000020  6    2[  ] \"leaf (01)\" " + remark + "\n");
    return fabric.ports.at({kHost, 2});
  };
  CHECK(port_of(" 4X  10.0 Gbps (FDR10) ", "( )").rate == LinkRate{4, 10.3125});
  CHECK(port_of(" 4X  10.0 Gbps (FDR10) ", "( )").capable == LinkRate{4, 10.3125});
  const PortSaid slow = port_of(" 4X  10.0 Gbps ", "( Could be FDR10 (Found link at QDR but expected speed is FDR10))");
  CHECK(slow.rate == LinkRate{4, 10});
  CHECK(slow.capable == LinkRate{4, 10.3125});
  CHECK(port_of(" 4X  10.0 Gbps ", "").capable == LinkRate{});
}

TEST_CASE("infiniband.fabric: a switch is found by the GUID of its port 0 too") {
  std::string text = kTopology;
  text.replace(text.find("(20)"), 4, "(21)");
  Fabric fabric = parse_topology(text);
  CHECK(fabric.owner_of(0x21) == kLeaf);
  add_port_states(fabric, "0x0000000000000021 \"leaf01\" 6 3[  ] ==(   Down/ Polling)==>   [  ] \"\" ( )\n");
  CHECK(fabric.ports.contains({kLeaf, 3}));
}

TEST_CASE("infiniband.fabric: topologies cut anywhere and garbage are read without harm") {
  const std::string text = std::string(kTopology) + kStates;
  for (std::size_t end = 0; end <= text.size(); ++end) {
    Fabric fabric = parse_topology(text.substr(0, end));
    add_port_states(fabric, text.substr(0, end));
    parse_local_ports(text.substr(0, end));
    CHECK(fabric.links.size() <= 2);
  }
  for (const char* line : {"[", "[]", "[1]", "[1](\"", "Switch", "Ca 1", "Ca x \"H-1\"", "Switch 1 \"S-\"", "=", "\"", "==()==>",
                           ")==>==("}) {
    Fabric fabric = parse_topology("vendid=0x1\nswitchguid=0x2\nSwitch 3 \"S-2\"\n" + std::string(line) + "\n");
    add_port_states(fabric, line);
    CHECK(fabric.links.empty());
  }
}

TEST_CASE("infiniband.fabric: names and ids") {
  Fabric fabric = parse_topology(kTopology);
  fabric.nodes[0x30].name = "twin";
  fabric.nodes[0x31].name = "twin";
  const FabricNames names(fabric);
  CHECK(names.port_id({kHost, 2}) == "hca:node01_mlx5_0/2");
  CHECK(names.node_id(0x31) == "hca:0x0000000000000031");
  CHECK(names.node(0x31) == "twin 0x0000000000000031");
  CHECK(names.cable_id({kHost, 1}, {kLeaf, 1}) == "cable:node01_mlx5_0/1=MF0;leaf01:MQM9700/U1/1");
  CHECK(names.cable_name({kHost, 1}, {kLeaf, 1}) == "node01 mlx5_0 port 1 to MF0;leaf01:MQM9700/U1 port 1");
}

TEST_CASE("infiniband.fabric: a cabling of lines") {
  const auto links = parse_cabling(
      "# a plan\n\n\"node01 mlx5_0\" 1  leaf01 1 4xNDR # first\n0x10 2 leaf01 2 2x HDR\nx 1 y 1\n", "plan");
  REQUIRE(links.size() == 3);
  CHECK(links[0].a.name == "node01 mlx5_0");
  CHECK(links[0].rate == LinkRate{4, 106.25});
  CHECK(links[1].a.guid == std::optional<std::uint64_t>(0x10));
  CHECK(links[1].rate == LinkRate{2, 53.125});
  CHECK(links[1].line == 4);
  CHECK(links[2].rate == LinkRate{});
}

TEST_CASE("infiniband.fabric: a cabling that cannot be meant") {
  CHECK(why_refused("") == "plan names no link");
  CHECK(why_refused("a 1 b").starts_with("plan:1: a line is: node port  node port"));
  CHECK(why_refused("\na x b 1").starts_with("plan:2: 'x' is no number of a port"));
  CHECK(why_refused("a 1 b 0").starts_with("plan:1: '0' is no number of a port"));
  CHECK(why_refused("a 1 b 1 4xABC") == "plan:1: '4xABC' is no rate; such are 4xNDR, 4x and NDR");
  CHECK(why_refused("\"a 1 b 1") == "plan:1: a quote is not closed");
  CHECK(why_refused("a 1 \"\" 1") == "plan:1: a node without a name");
  CHECK(why_refused("a 1 b 1\nc 1 a 1") == "plan:2: a port 1 has a cable already, by line 1");
  CHECK(why_refused("a 1 a 1") == "plan:1: a port 1 has a cable already, by line 1");
  Fabric twins = fabric_of({});
  twins.nodes['b'].name = "a";
  CHECK(why_refused("a 1 c 1", twins) == "plan:1: 2 nodes of the fabric are called 'a': name this one by its GUID, as 0x…");
}

TEST_CASE("infiniband.fabric: what differs from the cabling") {
  CHECK(compared({"a1b1", "c1d1"}, fabric_of({"b1a1", "c1d1"})) == Kinds{});
  CHECK(compared({"a1b1", "c1d1"}, fabric_of({"a1b1"})) == Kinds{"missing c1d1"});
  CHECK(compared({"a1b1"}, fabric_of({"a1b1", "c1d1"})) == Kinds{"unexpected c1d1"});
  CHECK(compared({"a1b1", "c1d1"}, fabric_of({"a1b2", "c1d1"})) == Kinds{"moved a1b1"});
  // Two cables whose ends at b and d were exchanged, and three in a ring.
  CHECK(compared({"a1b1", "c1d1"}, fabric_of({"a1d1", "b1c1"})) == Kinds{"crossed a1b1", "crossed c1d1"});
  CHECK(compared({"a1b1", "c1d1", "e1f1"}, fabric_of({"a1d1", "c1f1", "b1e1"})) ==
        Kinds{"crossed a1b1", "crossed e1f1", "crossed c1d1"});
  // One took another's place, and that one is unplugged; and one that went on to a free port.
  CHECK(compared({"a1b1", "c1d1"}, fabric_of({"a1d1"})) == Kinds{"missing c1d1", "moved a1b1"});
  CHECK(compared({"a1b1", "c1d1"}, fabric_of({"a1d1", "c1h1"})) == Kinds{"moved a1b1", "moved c1d1"});
  // Both ends lead elsewhere: one of the two is what became of it.
  CHECK(compared({"a1b1"}, fabric_of({"a1g1", "b1h1"})).size() == 2);
  CHECK(compared({"a1z1"}, fabric_of({})) == Kinds{"missing a1z1"});
  CHECK(compared({"a1z1"}, fabric_of({"a1b1"})) == Kinds{"moved a1z1"});
}

TEST_CASE("infiniband.fabric: where the ends of a missing link lead is told") {
  Fabric fabric = fabric_of({"a2b2"});
  fabric.ports[{'a', 1}] = {.state = "Active", .physical = "LinkUp", .rate = {}, .capable = {}};
  fabric.ports[{'b', 1}] = {.state = "Down", .physical = "Disabled", .rate = {}, .capable = {}};
  FabricNames names(fabric);
  const Cabling cabling = resolve(parse_cabling("a 1 z 1\nb 1 c 1\na 2 c 2", "plan"), fabric, names, "plan");
  std::vector<std::string> texts;
  for (const FabricFinding& finding : compare(cabling.links, fabric, names)) texts.push_back(finding.text);
  CHECK(texts == std::vector<std::string>{
                     "missing: a port 1 to z port 1; a port 1 has a link, to something that does not answer, and z is not seen "
                     "in the fabric",
                     "missing: b port 1 to c port 1; b port 1 leads nowhere (Down, Disabled), and c port 1 leads nowhere",
                     "moved: a port 2 should lead to c port 2, but a port 2 leads to b port 2, and c port 2 leads nowhere"});
}

TEST_CASE("infiniband.fabric: a link inside one device is no unexpected cable") {
  Fabric fabric = fabric_of({"a1b1", "c1d1"});
  fabric.nodes['a'].system_guid = fabric.nodes['b'].system_guid = "0x7";
  fabric.nodes['c'].system_guid = fabric.nodes['d'].system_guid = "0x0";
  CHECK(compared({"e1f1"}, fabric) == Kinds{"missing e1f1", "unexpected c1d1"});
  CHECK(compared({"a1f1"}, fabric) == Kinds{"moved a1f1", "unexpected c1d1"});
}

TEST_CASE("infiniband.fabric: width and speed beside the cabling") {
  CHECK(compared({"a1b1 4xQDR", "c1d1 2xDDR"}, fabric_of({"a1b1", "c1d1"})) == Kinds{});
  CHECK(compared({"a1b1 8x", "c1d1 EDR"}, fabric_of({"a1b1", "c1d1"})) == Kinds{"narrower a1b1", "slower c1d1"});
  CHECK(compared({"a1b1 8xEDR"}, fabric_of({"a1b1"})) == Kinds{"narrower a1b1", "slower a1b1"});
}

TEST_CASE("infiniband.fabric: every difference is counted once, whatever was replugged") {
  const std::vector<std::string> plan{"a1e1", "b1f1", "c1g1", "d1h1"};
  std::string far = "efghx";
  std::ranges::sort(far);
  do {
    std::vector<std::string> links;
    for (std::size_t at = 0; at < 4; ++at) {
      if (far[at] != 'x') links.push_back(std::string(1, static_cast<char>('a' + at)) + "1" + far[at] + "1");
    }
    std::size_t lost = 0;
    for (const std::string& link : plan) lost += std::ranges::find(links, link) == links.end() ? 1u : 0u;
    const std::size_t extra = links.size() - (plan.size() - lost);
    const Kinds kinds = compared(plan, fabric_of(links));
    const auto count = [&](const char* word) {
      return static_cast<std::size_t>(std::ranges::count_if(kinds, [&](const auto& kind) { return kind.starts_with(word); }));
    };
    CAPTURE(far);
    CHECK(count("missing") + count("moved") + count("crossed") == lost);
    CHECK(count("unexpected") + count("moved") + count("crossed") == extra);
  } while (std::ranges::next_permutation(far).found);
}

TEST_CASE("infiniband.fabric: a topology that was recorded earlier is a cabling") {
  Fabric fabric = parse_topology(kTopology);
  FabricNames names(fabric);
  const auto expected = parse_cabling(kTopology, "golden");
  CHECK(compare(resolve(expected, fabric, names, "golden").links, fabric, names).empty());

  SECTION("an adapter that was replaced is found by its name") {
    std::string replaced = kTopology;
    for (std::size_t at = 0; (at = replaced.find("H-0000000000000010", at)) != replaced.npos;) replaced[at + 16] = '7';
    fabric = parse_topology(replaced);
    FabricNames new_names(fabric);
    const Cabling cabling = resolve(expected, fabric, new_names, "golden");
    REQUIRE(cabling.remarks.size() == 1);
    CHECK(cabling.remarks[0] == "node01 mlx5_0 has the GUID 0x0000000000000070 and not 0x0000000000000010 any more");
    CHECK(compare(cabling.links, fabric, new_names).empty());
  }
}

TEST_CASE("infiniband.fabric: counters of ibqueryerrors") {
  const Fabric fabric = parse_topology(kTopology);
  const std::string summary =
      "\n## Summary: 2 nodes checked, 1 bad nodes found\n##  43 ports checked, 2 ports have errors beyond threshold\n";
  const CounterReading before = parse_counters(
      "Errors for 0x20 \"leaf\"\n   GUID 0x20 port ALL: [SymbolErrorCounter == 7]\n   GUID 0x20 port 2: [SymbolErrorCounter == 7] "
      "[LinkDownedCounter == 255] [PortXmitData == 24408 (95.344KB)]\n" + summary, fabric);
  const CounterReading after = parse_counters(
      "   GUID 0x20 port 2: [SymbolErrorCounter == 9] [LinkDownedCounter == 255]\n   GUID 0x12 port 2: [PortRcvErrors == 3]\n" +
          summary + "##  2 PMA query failures\n", fabric);
  CHECK(before.checked == 43);
  CHECK(before.ports.size() == 1);
  CHECK(after.unread == 2);
  CHECK(rise(before, after, {kLeaf, 2}, 0) == 2);
  CHECK(rise(after, before, {kLeaf, 2}, 0) == std::nullopt);
  CHECK(rise(before, after, {kLeaf, 2}, 2) == std::nullopt);
  CHECK(rise(before, after, {kHost, 2}, 3) == 3);
  CHECK(rise(before, after, {kLeaf, 1}, 0) == 0);
  CHECK_THROWS_AS(parse_counters("   GUID 0x20 port 2: [SymbolErrorCounter == 9]\n", fabric), Trouble);
}

TEST_CASE("infiniband.fabric: ports of this machine, as ibstat tells them") {
  const auto ports = parse_local_ports(
      "CA 'mlx5_0'\n\tCA type: MT4129\n\tNumber of ports: 1\n\tPort 1:\n\t\tState: Active\n\t\tPhysical state: LinkUp\n"
      "\t\tLink layer: InfiniBand\nCA 'mlx5_1'\n\tCA type: MT4129\n\tPort 1:\n\t\tState: Down\n\t\tPhysical state: Disabled\n"
      "\t\tLink layer: Ethernet\n");
  REQUIRE(ports.size() == 2);
  CHECK(ports[0].adapter == "mlx5_0");
  CHECK(ports[0].type == "MT4129");
  CHECK(ports[0].physical == "LinkUp");
  CHECK(ports[0].is_infiniband());
  CHECK_FALSE(ports[1].is_infiniband());
  CHECK(parse_local_ports("").empty());
}

TEST_CASE("infiniband.fabric: a captured machine has no fabric to ask") {
  SysrootFixture machine;
  const auto said = run_check_library("infiniband.fabric", machine.directory());
  const auto* skipped = std::get_if<Skipped>(&said.last());
  REQUIRE(skipped != nullptr);
  CHECK(skipped->why == "a captured or invented machine has no fabric that could be asked");
}
