// An invented machine: a folder with the files of /sys, /proc and /etc that checks read, removed when the test ends.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace rackproof::testing {

class SysrootFixture {
 public:
  SysrootFixture();  // an empty folder
  SysrootFixture(const SysrootFixture&) = delete;
  SysrootFixture& operator=(const SysrootFixture&) = delete;
  ~SysrootFixture();

  std::string directory() const { return directory_.string(); }

  // Paths as on the real machine: "/sys/class/net/eth0/mtu". Folders are made as needed.
  void file(std::string_view path, std::string_view text);  // a newline is added, as /sys does
  void link(std::string_view path, std::string_view target);
  void remove(std::string_view path);

 private:
  std::filesystem::path directory_;
};

// One function on a PCI bus. `place` is its folder below /sys/devices: "pci0000:00/0000:00:01.0/0000:17:00.0".
struct PciFunction {
  std::string_view place;
  std::string_view class_code;
  std::string_view vendor;
  std::string_view device = "0x0001";
  // Link attributes; without a speed none of the four is made.
  std::string_view current_speed = {};
  int current_width = 0;
  std::string_view max_speed = {};
  int max_width = 0;
};
void add_pci(SysrootFixture&, const PciFunction&);

// Two packages of two cores and four threads each, with 16 GiB next to each of them.
void add_cpus(SysrootFixture&);

// On the first package: a GPU at x8 where both ends can do x16 (0000:17:00.0), an NVMe disk at full speed
// (0000:18:00.0), an NVMe disk below a multipath subsystem (0000:19:00.0), a SATA controller (0000:00:1f.2), an audio
// function whose link is "Unknown" (0000:00:1f.3), and a management controller's graphics behind a conventional bridge
// (0000:03:00.0).
// On the second package, behind a switch: an InfiniBand adapter trained two generations down (0000:83:00.0) and an
// Ethernet card for 16 lanes in a slot of 8 (0000:84:00.0) with one virtual function.
void add_pci_tree(SysrootFixture&);

// Error counters of all kinds, each with a value of its own; those of AER need the PCI tree.
void add_error_counters(SysrootFixture&);

// The names that a machine gives itself.
void add_identity(SysrootFixture&);

}  // namespace rackproof::testing
