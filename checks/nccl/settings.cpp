#include "checks/nccl/settings.h"

#include <algorithm>
#include <sstream>
#include <string>

#include "checks/api/environment.h"

namespace rackproof {
namespace {

constexpr const char* kFile = "/etc/nccl.conf";

// Lines that set something, as NCCL reads them: '#' begins a comment.
std::string settings_in(const std::string& text) {
  std::istringstream lines(text);
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    line.erase(std::min(line.find('#'), line.size()));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (line.find('=') == line.npos) continue;
    all += (all.empty() ? "" : ", ") + line;
  }
  return all;
}

}  // namespace

void note_nccl_settings(Context& context) {
  if (const std::string set = variables_beginning_with("NCCL_"); !set.empty()) {
    context.note("NCCL is told by the environment: " + set);
  }
  const std::string in_file = settings_in(context.sysroot().text(kFile).value_or(""));
  if (!in_file.empty()) context.note(std::string("NCCL is told by ") + kFile + ": " + in_file);
}

}  // namespace rackproof
