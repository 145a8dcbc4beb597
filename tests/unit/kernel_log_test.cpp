#include "checks/gpu/kernel_log.h"

#include <catch2/catch.hpp>

#include "checks/gpu/health_xids.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof;

namespace {

constexpr const char* kLog =
    "Nov 25 03:00:01 node kernel: [    0.000000] Linux version 6.8.0\n"
    "Nov 25 03:10:00 node kernel: [  600.125000] NVRM: Xid (PCI:0000:17:00): 79, pid='<unknown>', GPU has fallen off\n"
    "Nov 25 03:11:00 node kernel: [  660.000000] NVRM: Xid (PCI:0000:17:00): 31, pid=77, name=python3, Ch 00000008\n"
    "Nov 25 03:12:00 node kernel: [  720.000000] NVRM: Xid (0000:18:00): 48, An uncorrectable double bit error\n"
    "Nov 25 03:13:00 node kernel: [  780.000000] nvidia-nvswitch0: SXid (PCI:0000:eb:00.0): 12028, Non-fatal, Link 32\n"
    "Nov 25 03:14:00 node app[9]: they say Xid (PCI:0000:17:00): 79 in the news\n"
    "Nov 25 03:15:00 node kernel: [  900.000000] NVRM: Xid (PCI:0000:17:00): none\n"
    "Nov 25 03:16:00 node kernel: [  960.000000] NVRM: Xid (PCI:0000:17:00): 31, pid=78\n";

}  // namespace

TEST_CASE("kernel log: the driver's errors are found, with their device, code and time") {
  const auto xids = find_xids(kLog);
  REQUIRE(xids.size() == 5);
  CHECK(xids[0].address == "0000:17:00");
  CHECK(xids[0].code == 79);
  CHECK(xids[0].stamp_s == 600.125);
  CHECK_FALSE(xids[0].of_switch);
  CHECK(xids[2].address == "0000:18:00");
  CHECK(xids[2].code == 48);
  CHECK(xids[3].address == "0000:eb:00.0");
  CHECK(xids[3].code == 12028);
  CHECK(xids[3].of_switch);
}

TEST_CASE("kernel log: errors are counted by GPU, with and without those of programs") {
  const auto xids = find_xids(kLog);
  CHECK(count_xids(xids, "0000:17:00.0", false) == 3);
  CHECK(count_xids(xids, "0000:17:00.0", true) == 1);
  CHECK(count_xids(xids, "0000:18:00.0", true) == 1);
  CHECK(count_xids(xids, "0000:eb:00.0", false) == 1);
  CHECK(count_xids(xids, "0000:19:00.0", false) == 0);
  CHECK(xid_sentence(xids, "0000:17:00.0") ==
        "pci:0000:17:00.0: Xid 31 (2 times), 79 in the kernel's log, the last first");
  CHECK(xid_sentence(xids, "0000:eb:00.0") == "pci:0000:eb:00.0: SXid 12028 in the kernel's log, the last first");
  CHECK(xid_sentence(xids, "0000:19:00.0").empty());
}

TEST_CASE("kernel log: only the newest errors count where that is asked for") {
  const auto xids = find_xids(kLog);  // at 600.125, 660, 720, 780 and 960 s
  CHECK(newest(xids, 0, 300).size() == 4);
  CHECK(newest(xids, 1000, 300).size() == 3);
  CHECK(newest(xids, 2000, 300).empty());
  auto timeless = xids;
  timeless[0].stamp_s.reset();
  CHECK(newest(timeless, 2000, 300).size() == 1);
}

TEST_CASE("kernel log: an address is that of one device, and not the beginning of another") {
  const Xid xid{.address = "0000:1", .code = 1, .of_switch = false, .stamp_s = {}};
  CHECK_FALSE(is_of(xid, "0000:17:00.0"));
  const Xid whole{.address = "0000:17:00.0", .code = 1, .of_switch = false, .stamp_s = {}};
  CHECK(is_of(whole, "0000:17:00.0"));
  CHECK_FALSE(is_of(whole, "0000:17:00"));
}

TEST_CASE("kernel log: a record of /dev/kmsg becomes a line") {
  CHECK(kmsg_line("6,812,600125000,-;NVRM: Xid\n SUBSYSTEM=pci\n DEVICE=+pci:0000:17:00.0\n") ==
        "[600.125000] NVRM: Xid");
  CHECK(kmsg_line("4,1,42,-,caller=T1;message; with more") == "[0.000042] message; with more");
  for (const char* none : {"", "no record", "6,812;too short", "6,812,x,-;no time"}) {
    CAPTURE(none);
    CHECK(kmsg_line(none).empty());
  }
}

TEST_CASE("kernel log: below a sysroot it is a file, and what is not there is not read as empty") {
  testing::SysrootFixture machine;
  const SysRoot root(machine.directory());
  CHECK_FALSE(read_kernel_log(root).text);
  CHECK(read_kernel_log(root).why_not == machine.directory() + "/var/log/kern.log is not there");
  machine.file("/var/log/kern.log", kLog);
  REQUIRE(read_kernel_log(root).text);
  CHECK(find_xids(*read_kernel_log(root).text).size() == 5);
  machine.file("/var/log/kern.log", std::string(2 << 20, 'x'));
  CHECK_FALSE(read_kernel_log(root).text);
}

TEST_CASE("kernel log: on the real machine it is read to its end without waiting, or there is a reason why not") {
  const KernelLog log = read_kernel_log(SysRoot("/"));
  CHECK(log.source == "/dev/kmsg");
  CHECK(log.text.has_value() == log.why_not.empty());
  if (log.text && !log.text->empty()) CHECK(log.text->front() == '[');
}
