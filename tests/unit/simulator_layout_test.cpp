#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "tests/simulator/layout.h"
#include "tests/simulator/node_files.h"
#include "tests/simulator/shared_state.h"
#include "tests/support/check_reports.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof;
using namespace rackproof::simulator;
using namespace rackproof::testing;

namespace {

namespace fs = std::filesystem;

class Node {
 public:
  explicit Node(const std::string& profile, const std::vector<std::string>& faults = {}) {
    lay_out(RACKPROOF_SOURCE_DIRECTORY "/tests/simulator/profiles/" + profile + ".yaml", faults, folder());
  }
  std::string folder() const { return above_.directory() + "/node"; }
  std::string sysroot() const { return folder() + "/sysroot"; }
  std::string text(const std::string& file) const {
    std::ifstream stream(folder() + "/" + file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

 private:
  SysrootFixture above_;
};

// The devices whose links run below what their ends can do.
std::vector<std::string> trained_down(const CheckReports& said) {
  std::map<std::string, std::map<std::string, double>> links;
  for (const Report& report : said.reports) {
    if (const auto* one = std::get_if<Measurement>(&report)) links[one->device][one->metric] = one->value;
  }
  std::vector<std::string> down;
  for (auto& [device, of] : links) {
    if (of["width"] != of["width_capable"] || of["speed"] != of["speed_capable"]) down.push_back(device);
  }
  return down;
}

int vertices(const CheckReports& said, const std::string& id) {
  int count = 0;
  for (const Report& report : said.reports) {
    const auto* device = std::get_if<Device>(&report);
    if (device != nullptr && device->id == id) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("simulator: host.inventory finds every part of the profile, each once") {
  for (const std::string name : {"hgx-h100-8", "hgx-a100-8", "hgx-b200-8", "pcie-l40s-4"}) {
    CAPTURE(name);
    const Node node(name);
    const Profile profile = read_profile(node.folder() + "/profile.yaml");
    const auto said = run_check_library("host.inventory", node.sysroot());
    CHECK(std::holds_alternative<Done>(said.last()));
    CHECK(said.value("packages") == profile.sockets);
    CHECK(said.value("cores") == profile.sockets * profile.cores_per_socket);
    CHECK(said.value("numa_nodes") == profile.sockets);
    CHECK(said.value("gpus") == static_cast<double>(profile.gpus.size()));
    CHECK(said.value("nics") == static_cast<double>(profile.nics.size()));
    CHECK(said.value("nvme") == static_cast<double>(profile.disks.size()));
    CHECK(said.value("nvswitches") == profile.nvswitches);
    CHECK(said.value("infiniband") == static_cast<double>(profile.nics.size()));
    for (const SimulatedGpu& gpu : profile.gpus) {
      const std::string id = "pci:" + gpu.address;
      CAPTURE(id);
      CHECK(vertices(said, id) == 1);
      REQUIRE(said.device(id) != nullptr);
      CHECK(said.device(id)->kind == "gpu");
      CHECK(said.device(id)->name == profile.kind.name);
      CHECK(fact(said.device(id)->facts, "driver") == "nvidia");
      const SimulatedSwitch& above = profile.switches[static_cast<std::size_t>(gpu.upstream)];
      CHECK(fact(said.device(id)->facts, "numa_node") == std::to_string(above.numa));
    }
    REQUIRE(said.device("block:nvme0n1") != nullptr);
    CHECK(said.device("block:nvme0n1")->parent == "pci:" + profile.disks[0].address);
    CHECK(said.device("ib:mlx5_0/1")->parent == "pci:" + profile.nics[0].address);
  }
}

TEST_CASE("simulator: two GPUs of an HGX node share a switch, and its uplink is a link") {
  const Node node("hgx-h100-8");
  const auto said = run_check_library("host.inventory", node.sysroot());
  const std::string first = said.device("pci:0000:17:00.0")->parent;
  const std::string second = said.device("pci:0000:18:00.0")->parent;
  CHECK(first != second);
  CHECK(said.device(first)->parent == "pci:0000:15:00.0");
  CHECK(said.device(second)->parent == "pci:0000:15:00.0");
  CHECK(said.device("pci:0000:3f:00.0")->parent != first);
  const auto* uplink = said.link("pci:0000:14:01.0", "pci:0000:15:00.0");
  REQUIRE(uplink != nullptr);
  CHECK(fact(uplink->facts, "width_lanes") == "16");
  CHECK(said.device("pci:0000:9b:00.0") != nullptr);
  CHECK(said.device("pci:0000:9a")->parent == "package:1");
}

TEST_CASE("simulator: the links of a healthy node run as their ends can") {
  for (const std::string name : {"hgx-h100-8", "hgx-a100-8", "hgx-b200-8", "pcie-l40s-4"}) {
    CAPTURE(name);
    const Node node(name);
    const auto said = run_check_library("pcie.link", node.sysroot(), {"watch=0 s"});
    CHECK(std::holds_alternative<Done>(said.last()));
    CHECK(trained_down(said).empty());
  }
}

TEST_CASE("simulator: a link that is trained down names its GPU and no other part") {
  const Node narrow("hgx-h100-8", {"gpu:3 link width 8"});
  CHECK(trained_down(run_check_library("pcie.link", narrow.sysroot(), {"watch=0 s"})) ==
        std::vector<std::string>{"pci:0000:40:00.0"});
  const Node slow("pcie-l40s-4", {"gpu:1 link speed 8 GT/s"});
  CHECK(trained_down(run_check_library("pcie.link", slow.sysroot(), {"watch=0 s"})) ==
        std::vector<std::string>{"pci:0000:65:00.0"});
}

TEST_CASE("simulator: a missing GPU is not on PCI, and its port is empty") {
  const Node node("hgx-h100-8", {"gpu:3 missing"});
  const auto said = run_check_library("host.inventory", node.sysroot());
  CHECK(said.value("gpus") == 7);
  CHECK(said.device("pci:0000:40:00.0") == nullptr);
  CHECK_FALSE(fs::exists(node.sysroot() + "/proc/driver/nvidia/gpus/0000:40:00.0"));
  CHECK(trained_down(run_check_library("pcie.link", node.sysroot(), {"watch=0 s"})).empty());
}

TEST_CASE("simulator: host.counters reads zeros from a healthy node, and what is counted on it") {
  const Node node("hgx-h100-8", {"gpu:3 link errors"});
  auto said = run_check_library("host.counters", node.sysroot());
  CHECK(said.value("uncorrected") == 0);
  CHECK(said.value("aer_correctable", "pci:0000:40:00.0") == 0);
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      for (int n = 0; n < 25; ++n) count_corrected_errors(node.folder(), "0000:40:00.0", 3);
    });
  }
  for (std::thread& writer : writers) writer.join();
  said = run_check_library("host.counters", node.sysroot());
  CHECK(said.value("aer_correctable", "pci:0000:40:00.0") == 300);
  CHECK(said.value("aer_correctable", "pci:0000:3f:00.0") == 0);
}

TEST_CASE("simulator: the kernel's log is there, holds an Xid that is asked for, and grows") {
  const Node node("hgx-h100-8", {"gpu:0 xid 79"});
  CHECK(node.text("sysroot/var/log/kern.log").find("NVRM: Xid (PCI:0000:17:00): 79, pid=") != std::string::npos);
  const Profile profile = read_profile(node.folder() + "/profile.yaml");
  append_kernel_log(node.folder(), xid_message(profile.gpus[1], 48));
  CHECK(node.text("sysroot/var/log/kern.log").find("NVRM: Xid (PCI:0000:18:00): 48, pid=") != std::string::npos);
  CHECK(Node("hgx-h100-8").text("sysroot/var/log/kern.log").find("Xid") == std::string::npos);
}

TEST_CASE("simulator: a node says in one line what it is") {
  CHECK(Node("hgx-h100-8").text("said") == "hgx-h100-8\n");
  const Node node("hgx-h100-8", {"gpu:3 link width 8", "driver old"});
  CHECK(node.text("said") == "hgx-h100-8 with gpu:3 link width 8; driver old\n");
  CHECK(node.text("faults.txt") == "gpu:3 link width 8\ndriver old\n");
}

TEST_CASE("simulator: a node that cannot be laid out leaves nothing behind") {
  const SysrootFixture above;
  const std::string folder = above.directory() + "/node";
  const std::string profile = RACKPROOF_SOURCE_DIRECTORY "/tests/simulator/profiles/hgx-h100-8.yaml";
  CHECK_THROWS(lay_out(profile, {"gpu:9 lost"}, folder));
  CHECK_THROWS(lay_out("/nowhere.yaml", {}, folder));
  CHECK(fs::is_empty(above.directory()));
  fs::create_directory(folder);
  CHECK_THROWS(lay_out(profile, {}, folder));
  CHECK(fs::exists(folder));
}

TEST_CASE("simulator: counters are shared between those who map them") {
  const Node node("hgx-h100-8");
  SharedState& one = map_shared_state(node.folder());
  SharedState& other = map_shared_state(node.folder());
  CHECK(other.gpus[3].replays == 0);
  one.gpus[3].replays += 7;
  CHECK(other.gpus[3].replays == 7);
}
