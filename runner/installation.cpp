#include "runner/installation.h"

#include <filesystem>
#include <stdexcept>

#include "runner/input_error.h"

namespace rackproof {
namespace {

namespace fs = std::filesystem;

Installation find_whole() {
  const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
  const fs::path prefix = here.parent_path();
  if (fs::exists(here / "rackproof-check")) {
    return {here / "rackproof-check", here / "checks", prefix.parent_path() / "recipes"};
  }
  const fs::path libexec = prefix / "libexec" / "rackproof";
  if (fs::exists(libexec / "rackproof-check")) {
    return {libexec / "rackproof-check", libexec / "checks", prefix / "share" / "rackproof" / "recipes"};
  }
  throw std::runtime_error("rackproof-check lies neither beside " + here.string() + "/rackproof nor in " +
                           libexec.string() + ": the installation is incomplete");
}

}  // namespace

Installation find_installation(const std::string& checks) {
  Installation installation = find_whole();
  if (checks.empty()) return installation;
  if (!fs::is_directory(checks)) throw InputError("--checks " + checks + ": is not a folder");
  installation.check_directory = fs::absolute(checks);
  return installation;
}

}  // namespace rackproof
