#include <catch2/catch.hpp>
#include <algorithm>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/simulator/fault.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof::simulator;
using rackproof::testing::SysrootFixture;

namespace {

const Profile& node(const std::string& name = "hgx-h100-8") {
  static std::map<std::string, Profile> read;
  if (!read.contains(name)) {
    read[name] = read_profile(RACKPROOF_SOURCE_DIRECTORY "/tests/simulator/profiles/" + name + ".yaml");
  }
  return read[name];
}

std::string refusal(const std::string& sentence, const std::string& profile = "hgx-h100-8") {
  try {
    parse_fault(sentence, node(profile));
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("simulator: a fault's sentence gives its part and its amount") {
  const Fault width = parse_fault("gpu:3 link width 8", node());
  CHECK(width.kind == FaultKind::link_width);
  CHECK(width.target == 3);
  CHECK(width.amount == 8);
  CHECK(width.text == "gpu:3 link width 8");
  CHECK(parse_fault("gpu:0 link speed 16 GT/s", node()).amount == 16);
  CHECK(parse_fault("  gpu:0  link speed 2.5GT/s ", node()).amount == 2.5);
  CHECK(parse_fault("switch:3 uplink 50 %", node()).amount == 50);
  CHECK(parse_fault("switch:3 uplink 50%", node()).target == 3);
  CHECK(parse_fault("gpu:7 lost", node()).after_s == 0);
  CHECK(parse_fault("gpu:7 lost after 500 ms", node()).after_s == 0.5);
  CHECK(parse_fault("gpu:7 throttles power after 2 min", node()).after_s == 120);
  const Fault link = parse_fault("gpu:1 nvlink 17 errors", node());
  CHECK(link.kind == FaultKind::nvlink_errors);
  CHECK(link.index == 17);
  CHECK(parse_fault("gpu:1 nccl slow", node()).amount == 50);
  CHECK(parse_fault("gpu:1 nccl slow 30 %", node()).amount == 30);
  CHECK(parse_fault("gpu:1 xid 79", node()).amount == 79);
  CHECK(parse_fault("driver old", node()).target == -1);
  CHECK(parse_fault("gpu:1 flips peer copies", node()).kind == FaultKind::flip_peer_copies);
  CHECK(parse_fault("gpu:1 flips copies", node()).kind == FaultKind::flip_copies);
}

TEST_CASE("simulator: every form of a fault is taken, and has a kind of its own") {
  std::vector<FaultKind> kinds;
  for (const FaultForm& form : fault_forms()) {
    std::string sentence(form.words);
    const auto replace = [&](const std::string& word, const std::string& value) {
      if (const std::size_t at = sentence.find(word); at != std::string::npos) sentence.replace(at, word.size(), value);
    };
    for (const char bracket : {'[', ']'}) std::erase(sentence, bracket);
    replace(":N", ":2");
    replace("LANES", "8");
    replace("RATE", "16 GT/s");
    replace("SHARE", "20 %");
    replace("TIME", "2 s");
    replace("LINK", "0");
    replace("CODE", "79");
    CAPTURE(sentence);
    const Fault fault = parse_fault(sentence, node());
    CHECK(fault.kind == form.kind);
    CHECK(std::ranges::count(kinds, fault.kind) == 0);
    kinds.push_back(fault.kind);
  }
  CHECK(kinds.size() == static_cast<std::size_t>(FaultKind::nvml_silent) + 1);
}

TEST_CASE("simulator: a sentence that is no fault is refused at the word that does not fit") {
  CHECK(refusal("").find("and this is empty") != std::string::npos);
  CHECK(refusal("foo") == "'foo': 'foo' is no part: a fault begins with gpu:N, nic:N, switch:N, driver, fabric, node or nvml");
  CHECK(refusal("gpu:8 lost") == "'gpu:8 lost': there is no gpu:8: hgx-h100-8 has gpu:0 to gpu:7");
  CHECK(refusal("gpu:-1 lost").find("there is no gpu:-1") != std::string::npos);
  CHECK(refusal("gpu:x lost").find("there is no gpu:x") != std::string::npos);
  CHECK(refusal("switch:4 uplink 50 %").find("there is no switch:4") != std::string::npos);
  CHECK(refusal("gpu:3 link widht 8") ==
        "'gpu:3 link widht 8': 'widht' does not fit: after 'gpu:3 link' comes 'width', 'speed' or 'errors'");
  CHECK(refusal("gpu:3 link") ==
        "'gpu:3 link': is not complete: after 'gpu:3 link' comes 'width', 'speed' or 'errors'");
  CHECK(refusal("gpu:3 missing now") == "'gpu:3 missing now': 'now' does not fit: after 'gpu:3 missing' comes nothing");
  CHECK(refusal("gpu:3 lost after").find("after 'gpu:3 lost after' comes TIME") != std::string::npos);
  CHECK(refusal("gpu:3 lost after 8 lanes").find("'8 lanes' is no time") != std::string::npos);
  CHECK(refusal("gpu:3 link width 16").find("is no width of PCIe below the 16 lanes") != std::string::npos);
  CHECK(refusal("gpu:3 link width 3").find("is no width of PCIe below") != std::string::npos);
  CHECK(refusal("gpu:3 link speed 32 GT/s").find("is no speed of PCIe below the 32 GT/s") != std::string::npos);
  CHECK(refusal("gpu:3 link speed 7 GT/s").find("is no speed of PCIe") != std::string::npos);
  CHECK(refusal("switch:0 uplink 100 %").find("'100 %' is no share") != std::string::npos);
  CHECK(refusal("gpu:3 slow 10").find("'10' is no share") != std::string::npos);
  CHECK(refusal("gpu:3 nvlink 18 down").find("'18' is no NVLink from 0 to 17") != std::string::npos);
  CHECK(refusal("gpu:3 nvlink 0 down", "pcie-l40s-4").find("have no NVLink") != std::string::npos);
  CHECK(refusal("gpu:4 lost", "pcie-l40s-4").find("pcie-l40s-4 has gpu:0 to gpu:3") != std::string::npos);
  CHECK(refusal("gpu:3 xid zero").find("'zero' is no Xid") != std::string::npos);
  CHECK(refusal("gpu:3 lost\ngpu:4 lost") == "a fault is one line");
}

TEST_CASE("simulator: faults are read from a file, a sentence a line") {
  const SysrootFixture folder;
  const std::string file = folder.directory() + "/faults.txt";
  std::ofstream(file) << "gpu:3 lost\n\n  driver old\n";
  CHECK(read_faults(file, node()).size() == 2);
  std::ofstream(file) << "gpu:3 lost\ngpu:3 gone\n";
  try {
    read_faults(file, node());
    FAIL("taken");
  } catch (const std::runtime_error& error) {
    CHECK(std::string(error.what()).starts_with(file + ":2: 'gpu:3 gone': 'gone' does not fit"));
  }
}
