#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "checks/api/last_word.h"
#include "checks/api/sysroot.h"

using namespace rackproof;
namespace fs = std::filesystem;

namespace {

// An invented machine's files, gone with this object.
class Tree {
 public:
  Tree() {
    char name[] = "/tmp/rackproof-sysroot-XXXXXX";
    if (::mkdtemp(name) == nullptr) FAIL("no temporary folder");
    root_ = name;
    fs::permissions(root_, fs::perms(0755));
  }
  ~Tree() { fs::remove_all(root_); }

  Tree& file(const std::string& path, const std::string& content) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << content;
    return *this;
  }
  Tree& link(const std::string& path, const std::string& target) {
    fs::create_directories((root_ / path).parent_path());
    fs::create_symlink(target, root_ / path);
    return *this;
  }
  std::string path(const std::string& inside = "") const { return (root_ / inside).string(); }
  SysRoot sysroot() const { return SysRoot(root_.string()); }

 private:
  fs::path root_;
};

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

}  // namespace

TEST_CASE("sysroot: a text is the file without its trailing newline") {
  Tree tree;
  tree.file("sys/one", "32.0 GT/s PCIe\n").file("sys/two", "first\nsecond\n");
  tree.file("sys/empty", "").file("sys/bare", "x");
  const SysRoot root = tree.sysroot();
  CHECK(root.text("/sys/one") == "32.0 GT/s PCIe");
  CHECK(root.text("sys/one") == "32.0 GT/s PCIe");
  CHECK(root.text("/sys/two") == "first\nsecond");
  CHECK(root.text("/sys/empty") == "");
  CHECK(root.text("/sys/bare") == "x");
}

TEST_CASE("sysroot: what is absent is absent, whatever is asked") {
  const Tree tree;
  const SysRoot root = tree.sysroot();
  CHECK_FALSE(root.text("/proc/uptime"));
  CHECK_FALSE(root.integer("/proc/uptime"));
  CHECK(root.list("/proc").empty());
  CHECK_FALSE(root.link_name("/proc/self"));
  CHECK_FALSE(root.link_target("/proc/self"));
  CHECK_FALSE(root.exists("/proc"));
  CHECK(root.exists("/"));
}

TEST_CASE("sysroot: an absolute link stays inside") {
  Tree tree;
  tree.file("etc/passwd", "inside").link("links/passwd", "/etc/passwd").link("links/status", "/proc/self/status");
  const SysRoot root = tree.sysroot();
  CHECK(root.text("/links/passwd") == "inside");
  CHECK_FALSE(root.text("/links/status"));
  CHECK_FALSE(root.exists("/links/status"));
  CHECK(root.link_target("/links/status") == "/proc/self/status");
}

TEST_CASE("sysroot: '..' does not lead out") {
  Tree tree;
  const std::string up = "../../../../../../../../..";
  tree.link("out", up + "/etc/passwd").link("top", up);
  {
    const SysRoot root = tree.sysroot();
    CHECK_FALSE(root.text("/" + up + "/etc/passwd"));
    CHECK_FALSE(root.text("/out"));
    CHECK_FALSE(root.text("/top/etc/passwd"));
    CHECK(root.list("/" + up) == std::vector<std::string>{"out", "top"});
  }
  tree.file("etc/passwd", "inside");
  CHECK(tree.sysroot().text("/out") == "inside");
  CHECK(tree.sysroot().text("/top/etc/passwd") == "inside");
}

TEST_CASE("sysroot: links as sysfs has them") {
  Tree tree;
  tree.file("sys/devices/pci0000:00/0000:00:01.0/vendor", "0x10de\n")
      .link("sys/devices/pci0000:00/0000:00:01.0/driver", "../../../bus/pci/drivers/nvme")
      .link("sys/bus/pci/devices/0000:00:01.0", "../../../devices/pci0000:00/0000:00:01.0");
  const SysRoot root = tree.sysroot();
  CHECK(root.integer("/sys/bus/pci/devices/0000:00:01.0/vendor") == 0x10de);
  CHECK(root.list("/sys/bus/pci/devices") == std::vector<std::string>{"0000:00:01.0"});
  // The driver's own folder was not captured; its name is known all the same.
  CHECK(root.link_name("/sys/bus/pci/devices/0000:00:01.0/driver") == "nvme");
  CHECK(root.link_target("/sys/bus/pci/devices/0000:00:01.0/driver") == "../../../bus/pci/drivers/nvme");
  CHECK_FALSE(root.exists("/sys/bus/pci/devices/0000:00:01.0/driver"));
  CHECK_FALSE(root.link_name("/sys/bus/pci/devices/0000:00:01.0/vendor"));
}

TEST_CASE("sysroot: a link that leads in a circle is absent") {
  Tree tree;
  tree.link("a", "b").link("b", "a");
  CHECK_FALSE(tree.sysroot().text("/a"));
  CHECK_FALSE(tree.sysroot().exists("/a"));
  CHECK(tree.sysroot().link_name("/a") == "b");
}

TEST_CASE("sysroot: a folder is no text, a file has no entries") {
  Tree tree;
  tree.file("sys/b", "1").file("sys/a/x", "1").file("sys/c", "1");
  CHECK_FALSE(tree.sysroot().text("/sys"));
  CHECK(tree.sysroot().list("/sys/b").empty());
  CHECK(tree.sysroot().list("/sys") == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("sysroot: what this user may not read is absent") {
  Tree tree;
  tree.file("secret", "42");
  fs::permissions(tree.path("secret"), fs::perms::none);
  const SysRoot root = tree.sysroot();
  const int before = ::setfsuid(65534);  // root may read anything; nobody may not
  const auto text = root.text("/secret");
  const bool exists = root.exists("/secret");
  ::setfsuid(static_cast<uid_t>(before));
  CHECK_FALSE(text);
  CHECK(exists);
}

TEST_CASE("sysroot: a pipe in the tree makes nobody wait") {
  const Tree tree;
  REQUIRE(::mkfifo(tree.path("fifo").c_str(), 0600) == 0);
  const SysRoot root = tree.sysroot();
  CHECK_FALSE(root.integer("/fifo"));  // nobody writes to it
  const int writer = ::open(tree.path("fifo").c_str(), O_RDWR);
  REQUIRE(writer >= 0);
  CHECK_FALSE(root.text("/fifo"));  // somebody could, and does not
  ::close(writer);
}

TEST_CASE("sysroot: integers are whole, decimal or 0x") {
  const auto read = [](const std::string& content) {
    Tree tree;
    tree.file("n", content);
    return tree.sysroot().integer("/n");
  };
  CHECK(read("42\n") == 42);
  CHECK(read("-1\n") == -1);
  CHECK(read("0x1f") == 31);
  CHECK(read("0x8086\n") == 0x8086);
  CHECK(read("9223372036854775807") == 9223372036854775807);
  for (const char* text :
       {"", "\n", "x", "0x", "0xg", "0x-5", "4 2", "42 kB", "4.2", "+4", " 4", "9223372036854775808"}) {
    INFO(text);
    CHECK_FALSE(read(text));
  }
}

TEST_CASE("sysroot: a text has a bound of 1 MiB") {
  Tree tree;
  tree.file("big", std::string(3 << 20, 'x')).file("fits", std::string(1000000, 'x'));
  CHECK(tree.sysroot().text("/big")->size() == 1u << 20);
  CHECK(tree.sysroot().text("/fits")->size() == 1000000);
}

TEST_CASE("sysroot: a root that cannot be opened is Trouble") {
  Tree tree;
  tree.file("file", "");
  CHECK_THROWS_AS(SysRoot(tree.path("nowhere")), Trouble);
  CHECK_THROWS_AS(SysRoot(tree.path("file")), Trouble);
  CHECK_THROWS_AS(SysRoot(""), Trouble);
}

TEST_CASE("sysroot: the real machine is '/', and says so") {
  CHECK(SysRoot("/").is_real());
  CHECK(SysRoot("//").is_real());
  CHECK(SysRoot("/").text("/proc/uptime").has_value());
  CHECK(SysRoot("/").text("/proc/self/status").has_value());
  CHECK(SysRoot("/").link_target("/proc/self") == std::to_string(::getpid()));
  const Tree tree;
  CHECK_FALSE(tree.sysroot().is_real());
  CHECK(SysRoot(tree.path() + "/").directory() == SysRoot(fs::path(tree.path()).string() + "//").directory());
}

TEST_CASE("sysroot: the environment names it; nothing or an empty text is the real machine") {
  Tree tree;
  tree.file("fact", "invented");
  const char* was = std::getenv("RACKPROOF_SYSROOT");
  const std::string before = was == nullptr ? "" : was;
  ::unsetenv("RACKPROOF_SYSROOT");
  CHECK(SysRoot::from_environment().is_real());
  ::setenv("RACKPROOF_SYSROOT", "", 1);
  CHECK(SysRoot::from_environment().is_real());
  ::setenv("RACKPROOF_SYSROOT", tree.path().c_str(), 1);
  CHECK_FALSE(SysRoot::from_environment().is_real());
  CHECK(SysRoot::from_environment().text("/fact") == "invented");
  before.empty() ? ::unsetenv("RACKPROOF_SYSROOT") : ::setenv("RACKPROOF_SYSROOT", before.c_str(), 1);
}

TEST_CASE("sysroot: no descriptor stays open") {
  Tree tree;
  tree.file("f", "1").link("l", "f");
  const std::size_t before = open_descriptors();
  {
    const SysRoot root = tree.sysroot();
    for (int i = 0; i < 50; ++i) {
      root.text("/f");
      root.text("/");
      root.list("/");
      root.list("/f");
      root.link_name("/l");
      root.link_name("/f");
      CHECK(root.exists("/f"));
    }
  }
  CHECK(open_descriptors() == before);
}

TEST_CASE("sysroot: the one that was moved from closes nothing") {
  Tree tree;
  tree.file("f", "1");
  std::optional<SysRoot> first(tree.path());
  const SysRoot second(std::move(*first));
  first.reset();
  CHECK(second.text("/f") == "1");
}

TEST_CASE("sysroot: renames elsewhere do not make a fact absent") {
  Tree tree;
  // A path with many "..", so that the look-up takes long enough to be met by a rename.
  std::string target;
  for (int i = 0; i < 100; ++i) target += "../devices/";
  tree.file("devices/a/fact", "1").link("bus/a", target + "a").file("elsewhere/0", "");
  const SysRoot root = tree.sysroot();
  std::atomic<bool> enough = false;
  std::atomic<int> renames = 0;
  std::thread renaming([&] {
    while (!enough) {
      renames += 2;
      ::rename(tree.path("elsewhere/0").c_str(), tree.path("elsewhere/1").c_str());
      ::rename(tree.path("elsewhere/1").c_str(), tree.path("elsewhere/0").c_str());
    }
  });
  int absent = 0;
  for (int i = 0; i < 5000 || renames < 5000; ++i) absent += root.exists("/bus/a/fact") ? 0 : 1;
  enough = true;
  renaming.join();
  CHECK(absent == 0);
}
