// Runs another program (fio, a site's own script) from within a check: no shell, bounded time, bounded output, and it
// dies with the check.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace rackproof {

struct ToolResult {
  int exit_code = -1;  // -1 when it did not exit by itself
  int signal = 0;      // that ended it
  bool timed_out = false;
  bool truncated = false;  // more output than `at_most_bytes`
  std::string output;      // stdout
  std::string errors;      // stderr, its first 64 KiB
};

struct ToolRun {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  std::chrono::milliseconds at_most{60'000};
  std::size_t at_most_bytes = 16u << 20;
  std::string directory;  // to run in; empty: this process's
};

// Throws Trouble when the program cannot be started ("fio: No such file or directory").
ToolResult run_tool(const ToolRun&);

// Absolute path of a program in PATH; empty when there is none.
std::string find_tool(const std::string& name);

}  // namespace rackproof
