#include <catch2/catch.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "checks/api/last_word.h"
#include "checks/storage/block_device.h"
#include "checks/storage/log_folder.h"
#include "checks/storage/mount_point.h"
#include "checks/storage/scratch_file.h"
#include "tests/support/text_files.h"

using namespace rackproof;
namespace fs = std::filesystem;

namespace {

constexpr const char* kMounts =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n"
    "28 27 0:40 / /var/lib/big\\040data rw - nfs4 server:/export rw,vers=4.2\n"
    "29 27 253:1 / /var/lib rw,relatime - xfs /dev/mapper/vg-lib rw\n"
    "30 27 0:50 / /run rw - tmpfs tmpfs rw\n"
    "31 27 0:51 / /merged rw - overlay overlay rw,lowerdir=/l,upperdir=/var/lib/up,workdir=/w\n"
    "32 27 0:52 / /over rw - xfs /dev/first rw\n"
    "33 32 0:53 / /over rw - xfs /dev/second rw\n"
    "34 27 0:54 / /back\\134slash rw - xfs /dev/third rw\n"
    "a broken line\n";

// An invented machine's block devices.
class Disks {
 public:
  void device(const std::string& name, const std::string& place, const std::string& number) {
    const fs::path real = root() / "sys/devices" / place / name;
    fs::create_directories(real);
    link("sys/class/block/" + name, "../../devices/" + place + "/" + name);
    link("sys/dev/block/" + number, "../../devices/" + place + "/" + name);
    put(name, "size", "2097152\n");
  }
  void put(const std::string& name, const std::string& attribute, const std::string& text) {
    files_.write("sys/class/block/" + name + "/" + attribute, text);
  }
  void slave(const std::string& upper, const std::string& lower) {
    fs::create_directories(root() / "sys/class/block" / upper / "slaves" / lower);
  }
  void link(const std::string& path, const std::string& target) {
    fs::create_directories((root() / path).parent_path());
    fs::create_symlink(target, root() / path);
  }
  SysRoot sysroot() const { return SysRoot(root().string()); }
  fs::path root() const { return files_.folder(); }

 private:
  TextFiles files_;
};

MountPoint mounted_from(const std::string& number, const std::string& source = "") {
  return {.directory = "/", .type = "ext4", .source = source, .device_number = number, .options = ""};
}

std::vector<std::string> names(const std::vector<BlockDevice>& devices) {
  std::vector<std::string> all;
  for (const BlockDevice& device : devices) all.push_back(device.name);
  return all;
}

}  // namespace

TEST_CASE("a path belongs to the deepest mount around it", "[storage]") {
  CHECK(mount_of(kMounts, "/var/tmp")->source == "/dev/vda");
  CHECK(mount_of(kMounts, "/var/lib/docker")->source == "/dev/mapper/vg-lib");
  CHECK(mount_of(kMounts, "/var/library")->source == "/dev/vda");
  CHECK(mount_of(kMounts, "/var/lib/big data/x")->source == "server:/export");
  CHECK(mount_of(kMounts, "/var/lib/big data/x")->directory == "/var/lib/big data");
  CHECK(mount_of(kMounts, "/back\\slash/x")->source == "/dev/third");
  CHECK(mount_of(kMounts, "/over")->source == "/dev/second");
  CHECK(mount_of(kMounts, "/")->options == "rw,discard");
  CHECK_FALSE(mount_of("", "/"));
}

TEST_CASE("what kind of filesystem it is", "[storage]") {
  CHECK(is_in_memory(*mount_of(kMounts, "/run/x")));
  CHECK(is_in_memory(*mount_of(kMounts, "/proc/1")));
  CHECK_FALSE(is_in_memory(*mount_of(kMounts, "/var")));
  CHECK(is_over_a_network(*mount_of(kMounts, "/var/lib/big data")));
  CHECK_FALSE(is_over_a_network(*mount_of(kMounts, "/var")));
  MountPoint fuse{.directory = "/", .type = "fuse.sshfs", .source = "", .device_number = "", .options = ""};
  CHECK(is_over_a_network(fuse));
  fuse.type = "fuseblk";
  CHECK_FALSE(is_over_a_network(fuse));
  CHECK(mount_option(*mount_of(kMounts, "/merged"), "upperdir") == "/var/lib/up");
  CHECK(mount_option(*mount_of(kMounts, "/merged"), "upper").empty());
}

TEST_CASE("a partition on a volume leads down to the disk and its controller", "[storage]") {
  Disks disks;
  disks.device("nvme0n1", "pci0000:00/0000:00:1d.0/0000:3d:00.0/nvme/nvme0", "259:0");
  disks.device("nvme0n1p2", "pci0000:00/0000:00:1d.0/0000:3d:00.0/nvme/nvme0/nvme0n1", "259:2");
  disks.device("dm-0", "virtual/block", "253:0");
  disks.put("nvme0n1p2", "partition", "2\n");
  disks.put("nvme0n1", "device/model", "SAMSUNG MZQL2           \n");
  disks.put("nvme0n1", "queue/rotational", "0\n");
  disks.put("nvme0n1", "queue/scheduler", "[none] mq-deadline\n");
  disks.put("nvme0n1", "queue/write_cache", "write through\n");
  disks.put("nvme0n1", "stat", "  10 0 16 5  20 0 32 9  0 12 14\n");
  disks.put("dm-0", "dm/name", "vg-lib\n");
  disks.slave("dm-0", "nvme0n1p2");
  const SysRoot root = disks.sysroot();

  CHECK(block_device_of(root, mounted_from("253:0")) == "dm-0");
  const auto devices = block_devices_under(root, "dm-0");
  CHECK(names(devices) == std::vector<std::string>{"dm-0", "nvme0n1p2", "nvme0n1"});
  CHECK(common_device(devices) == "nvme0n1");

  const Device disk = to_device(devices[2]);
  CHECK(disk.id == "block:nvme0n1");
  CHECK(disk.name == "SAMSUNG MZQL2");
  CHECK(disk.parent == "pci:0000:3d:00.0");
  CHECK(disk.facts == Facts{{"model", "SAMSUNG MZQL2"},
                            {"size_bytes", std::int64_t{1073741824}},
                            {"rotational", std::int64_t{0}},
                            {"write_cache", "write through"},
                            {"scheduler", "none"}});
  CHECK(to_device(devices[1]).parent == "block:nvme0n1");
  CHECK(links_of(devices[2]) ==
        std::vector<Link>{{.from = "pci:0000:3d:00.0", .to = "block:nvme0n1", .kind = "storage", .facts = {}}});
  CHECK(links_of(devices[1]).empty());
  CHECK(links_of(devices[0]).at(0).to == "block:nvme0n1p2");

  const auto counters = block_counters(root, "nvme0n1");
  REQUIRE(counters);
  CHECK(counters->bytes_read == 16 * 512);
  CHECK(counters->bytes_written == 32 * 512);
  CHECK_FALSE(block_counters(root, "dm-0"));
}

TEST_CASE("an array is measured as itself, and its disks are reported once", "[storage]") {
  Disks disks;
  disks.device("md0", "virtual/block", "9:0");
  disks.device("dm-1", "virtual/block", "253:1");
  disks.device("sda", "pci0000:00/0000:00:17.0/ata1/host0/block", "8:0");
  disks.device("sdb", "platform/soc/block", "8:16");
  disks.slave("dm-1", "md0");
  disks.slave("md0", "sda");
  disks.slave("md0", "sdb");
  const auto devices = block_devices_under(disks.sysroot(), "dm-1");
  CHECK(names(devices) == std::vector<std::string>{"dm-1", "md0", "sda", "sdb"});
  CHECK(common_device(devices) == "md0");
  CHECK(links_of(devices[1]).size() == 2);
  CHECK(to_device(devices[3]).parent == "machine");
  CHECK(links_of(devices[3]).at(0).from == "machine");
}

TEST_CASE("an NVMe disk with several paths finds its controller", "[storage]") {
  Disks disks;
  disks.device("nvme1n1", "virtual/nvme-subsystem/nvme-subsys1", "259:5");
  disks.link("sys/class/block/nvme1n1/device", "../../nvme-subsys1");
  disks.link("sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1",
             "../../../pci10000:00/10000:00:02.0/10000:01:00.0/nvme/nvme1");
  CHECK(to_device(block_devices_under(disks.sysroot(), "nvme1n1").at(0)).parent == "pci:10000:01:00.0");
}

TEST_CASE("a filesystem without a device number is found by its source", "[storage]") {
  Disks disks;
  disks.device("nvme0n1", "pci0000:00/0000:00:1d.0/nvme/nvme0", "259:0");
  disks.device("dm-3", "virtual/block", "253:3");
  disks.put("dm-3", "dm/name", "vg-home\n");
  const SysRoot root = disks.sysroot();
  CHECK(block_device_of(root, mounted_from("0:31", "/dev/nvme0n1")) == "nvme0n1");
  CHECK(block_device_of(root, mounted_from("0:31", "/dev/mapper/vg-home")) == "dm-3");
  CHECK(block_device_of(root, mounted_from("0:31", "/dev/gone")).empty());
  CHECK(block_device_of(root, mounted_from("0:31", "tank/home")).empty());
  CHECK(block_device_of(root, mounted_from("0:31", "server:/dev/nvme0n1")).empty());
}

TEST_CASE("a ring of devices ends", "[storage]") {
  Disks disks;
  disks.device("dm-0", "virtual/block", "253:0");
  disks.device("dm-1", "virtual/block", "253:1");
  disks.slave("dm-0", "dm-1");
  disks.slave("dm-1", "dm-0");
  CHECK(block_devices_under(disks.sysroot(), "dm-0").size() == 2);
}

TEST_CASE("disks that are memory", "[storage]") {
  CHECK(is_memory_disk("zram0"));
  CHECK(is_memory_disk("ram15"));
  CHECK_FALSE(is_memory_disk("ram"));
  CHECK_FALSE(is_memory_disk("rambus0"));
  CHECK_FALSE(is_memory_disk("sda"));
}

TEST_CASE("the scratch file has its size and no name", "[storage]") {
  const TextFiles files;
  try {
    const ScratchFile file(files.folder().string(), 1 << 20);
    CHECK(fs::is_empty(files.folder()));
    struct stat facts {};
    REQUIRE(::stat(file.path().c_str(), &facts) == 0);
    CHECK(facts.st_size == 1 << 20);
    CHECK(facts.st_nlink == 0);
    CHECK((facts.st_mode & 0777) == 0600);
  } catch (const Skip& skip) {
    WARN("no direct I/O in the temporary folder: " << skip.why);
  }
  CHECK_THROWS_AS(ScratchFile("/nonexistent-folder", 1 << 20), Trouble);
}

TEST_CASE("logs are handed over once, and nothing is left", "[storage]") {
  const TextFiles files;
  {
    LogFolder logs(files.folder().string());
    CHECK(logs.has_name() != fs::is_empty(files.folder()));
    const int log = ::open((logs.prefix() + "_bw.2.log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(log >= 0);
    REQUIRE(::write(log, "125, 7", 6) == 6);
    ::close(log);
    CHECK(logs.take(2) == std::vector<std::string>{"", "125, 7"});
    CHECK(logs.take(2) == std::vector<std::string>{"", ""});
  }
  CHECK(fs::is_empty(files.folder()));
}

TEST_CASE("a signal removes the logs where they have a name", "[storage]") {
  const TextFiles files;
  fs::permissions(files.folder(), fs::perms::all);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // Without the right to make a folder in memory.
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) ::_exit(1);
    const LogFolder logs(files.folder().string());
    if (!logs.has_name()) ::_exit(2);
    if (::open((logs.prefix() + "_bw.1.log").c_str(), O_WRONLY | O_CREAT, 0600) < 0) ::_exit(3);
    ::raise(SIGTERM);
    ::_exit(4);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) return;
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGTERM);
  CHECK(fs::is_empty(files.folder()));
}
