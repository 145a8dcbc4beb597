#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/simulator/profile.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof::simulator;
using rackproof::testing::SysrootFixture;

namespace {

const std::string kProfiles = RACKPROOF_SOURCE_DIRECTORY "/tests/simulator/profiles/";

std::string text_of(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// What reading the profile says when one of its texts is another.
std::string refusal(const std::string& text, const std::string& instead) {
  const SysrootFixture folder;
  const std::string file = folder.directory() + "/p.yaml";
  std::string profile = text_of(kProfiles + "hgx-h100-8.yaml");
  const std::size_t at = profile.find(text);
  REQUIRE(at != std::string::npos);
  profile.replace(at, text.size(), instead);
  std::ofstream(file) << profile;
  try {
    read_profile(file);
  } catch (const std::runtime_error& error) {
    const std::string why = error.what();
    CHECK(why.starts_with(file + ":"));
    return why.substr(file.size() + 1);
  }
  return "read";
}

}  // namespace

TEST_CASE("simulator: each shipped profile is a node whose parts make sense") {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kProfiles)) {
    CAPTURE(entry.path().string());
    const Profile profile = read_profile(entry.path().string());
    CHECK(profile.name == entry.path().stem().string());
    names.insert(profile.name);
    std::set<std::string> uuids;
    for (const SimulatedGpu& gpu : profile.gpus) uuids.insert(gpu.uuid + gpu.serial);
    CHECK(uuids.size() == profile.gpus.size());
    CHECK(profile.kind.memory_simulated_bytes <= (std::int64_t{128} << 20));
    CHECK(profile.noise == Approx(0.01));
    CHECK(profile.kind.tflops.contains("bf16"));
    // What one GPU reaches, its switch can carry; not all of them at once.
    for (const SimulatedGpu& gpu : profile.gpus) {
      CHECK(profile.switches.at(static_cast<std::size_t>(gpu.upstream)).gbs >= profile.h2d_gbs);
    }
    CHECK(profile.both_gbs > profile.h2d_gbs);
    CHECK(profile.both_gbs < profile.h2d_gbs + profile.d2h_gbs);
  }
  CHECK(names == std::set<std::string>{"hgx-a100-8", "hgx-b200-8", "hgx-h100-8", "pcie-l40s-4"});
}

TEST_CASE("simulator: what the H100 profile says is read in its units") {
  const Profile profile = read_profile(kProfiles + "hgx-h100-8.yaml");
  CHECK(profile.cuda_version == 13000);
  CHECK(profile.memory_per_socket == std::int64_t{1} << 40);
  CHECK(profile.kind.device_id == 0x2330);
  CHECK(profile.kind.hbm_gbs == 3000);
  CHECK(profile.kind.nvlinks == 18);
  CHECK(profile.slot.speed_gts == 32);
  CHECK(profile.slot.width == 16);
  REQUIRE(profile.gpus.size() == 8);
  CHECK(profile.gpus[3].address == "0000:40:00.0");
  CHECK(profile.gpus[3].upstream == 1);
  REQUIRE(profile.switches.size() == 4);
  CHECK_FALSE(profile.switches[0].is_root_port);
  CHECK(profile.switches[2].numa == 1);
  CHECK(profile.nics.size() == 8);
  CHECK(profile.disks.size() == 4);
  CHECK(profile.nvswitches == 4);
}

TEST_CASE("simulator: a profile that is wrong is refused where it is wrong") {
  CHECK(refusal("sockets: 2", "sockets: 2\nsocket: 2") == "9:1: the profile has no field 'socket'");
  CHECK(refusal("sockets: 2", "sockets: 2\nsockets: 2") == "9:1: the field 'sockets' of the profile stands twice");
  CHECK(refusal("sockets: 2", "") == "3:1: the profile has no field 'sockets'");
  CHECK(refusal("sockets: 2", "sockets: 9").find("8:10: 'sockets' is '9', not a whole number from 1 to 8") == 0);
  CHECK(refusal("\"13.0\"", "thirteen").find("7:7: 'cuda' is 'thirteen', not a version") == 0);
  CHECK(refusal("l2: 50 MiB", "l2: 50 MHz").find("'l2' is '50 MHz', which is no amount in B") != std::string::npos);
  CHECK(refusal("l2: 50 MiB", "l2: 50 MiX").find("unknown unit 'MiX'") != std::string::npos);
  CHECK(refusal("l2: 50 MiB", "l2: 0 B").find("'l2' must be above 0") != std::string::npos);
  CHECK(refusal("width: 16 }\nhost", "width: 12 }\nhost").find("no link of that many") != std::string::npos);
  CHECK(refusal("0000:18:00.0", "0000:17:00.0").find("two parts are at 0000:17:00.0") != std::string::npos);
  CHECK(refusal("0000:18:00.0", "18:00.0").find("'18:00.0' is no PCI address") != std::string::npos);
  CHECK(refusal("switch: 3, module", "switch: 4, module").find("'switch' is '4', not a whole number from 0 to 3") !=
        std::string::npos);
  CHECK(refusal("profile: hgx", "profile: [hgx").find("not YAML: ") != std::string::npos);
  CHECK(refusal("profile: hgx-h100-8", "profile: My node").find("is no name") != std::string::npos);
}

TEST_CASE("simulator: a profile that is not there says so") {
  CHECK_THROWS_WITH(read_profile("/nowhere.yaml"), "/nowhere.yaml: cannot be read");
}
