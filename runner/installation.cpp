#include "runner/installation.h"

#include <filesystem>
#include <stdexcept>

namespace rackproof {

Installation find_installation() {
  namespace fs = std::filesystem;
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

}  // namespace rackproof
