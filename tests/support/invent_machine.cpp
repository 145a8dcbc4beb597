// Lays the tests' invented machine out in a folder, to be climbed with --sysroot: a GPU and a NIC whose links are not
// what they should be, among healthy parts.
#include <filesystem>
#include <iostream>

#include "tests/support/sysroot_fixture.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  using namespace rackproof::testing;
  if (argc != 2 || fs::exists(argv[1])) {
    std::cerr << "usage: " << argv[0] << " NEW-FOLDER\n";
    return 2;
  }
  SysrootFixture machine;
  add_cpus(machine);
  add_pci_tree(machine);
  add_error_counters(machine);
  add_identity(machine);
  fs::copy(machine.directory(), argv[1], fs::copy_options::recursive | fs::copy_options::copy_symlinks);
}
