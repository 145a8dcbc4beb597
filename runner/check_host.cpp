// rackproof-check: the process in which a check runs. It links rackproof_api alone, so that nothing of the runner is in
// the measured process, and it is the only program here that opens a check library.
//
//   rackproof-check [--parent PID] [--memory-limit BYTES] LIBRARY [name=value …]   run; reports on stdout
//   rackproof-check --describe LIBRARY                                             what the check declares, one line
//   rackproof-check --guard                                                        see guard() below

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/check.h"
#include "checks/api/json_line.h"

namespace {

using namespace rackproof;

constexpr int kUsage = 2;

// Why the library must not be loaded; empty when it may. Whoever can write to it, or to a folder above it, could run
// code with our rights. `path` is absolute and free of links.
std::string untrusted(std::string path) {
  bool is_library = true;
  while (true) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return path + ": " + std::strerror(errno);
    const bool sticky = !is_library && (facts.st_mode & S_ISVTX) != 0;
    const bool own_group = ::geteuid() != 0 && facts.st_gid == ::getegid();
    if (facts.st_uid != 0 && facts.st_uid != ::geteuid()) {
      return path + " belongs to another user, who could change what is loaded";
    }
    if ((facts.st_mode & S_IWOTH) != 0 && !sticky) return path + " can be written by anybody";
    if ((facts.st_mode & S_IWGRP) != 0 && !sticky && !own_group && facts.st_gid != 0) {
      return path + " can be written by its group";
    }
    if (path == "/") return "";
    path.resize(std::max<std::size_t>(path.rfind('/'), 1));
    is_library = false;
  }
}

struct Loaded {
  const rackproof_check* check = nullptr;
  std::string trouble;
};

Loaded load(const std::string& library) {
  // What was looked at is what is loaded: dlopen would search its own path for a name without a slash.
  char real[PATH_MAX];
  if (::realpath(library.c_str(), real) == nullptr) return {nullptr, library + ": " + std::strerror(errno)};
  if (std::string why = untrusted(real); !why.empty()) return {nullptr, "will not load: " + why};
  void* handle = ::dlopen(real, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return {nullptr, std::string("does not load: ") + ::dlerror()};
  using Entry = const rackproof_check* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(handle, "rackproof_check_entry"));
  if (entry == nullptr) return {nullptr, library + " is not a check: it has no rackproof_check_entry"};
  const rackproof_check* check = entry();
  if (check == nullptr) return {nullptr, library + " declares nothing"};
  if (check->abi != RACKPROOF_ABI) {
    return {nullptr, library + " was built for check ABI " + std::to_string(check->abi) + ", this is ABI " +
                         std::to_string(RACKPROOF_ABI) + ": rebuild it"};
  }
  if (check->name == nullptr || check->run == nullptr) return {nullptr, library + " declares no name or no run"};
  return {check, ""};
}

void add_text(JsonLine& line, std::string_view name, const char* text) {
  if (text != nullptr) line.add(name, text);
}

int describe(const std::string& library) {
  const auto [check, trouble] = load(library);
  JsonLine line;
  if (check == nullptr) {
    line.add("problem", trouble);
    write_line(STDOUT_FILENO, std::move(line).text());
    return 0;
  }
  line.add("name", check->name);
  add_text(line, "layer", check->layer);
  add_text(line, "summary", check->summary);
  add_text(line, "method", check->method);
  line.open_array("parameters");
  for (const auto* p = check->parameters; p != nullptr && p->name != nullptr; ++p) {
    line.open_element();
    line.add("name", p->name);
    add_text(line, "type", p->type);
    add_text(line, "default", p->default_value);
    add_text(line, "unit", p->unit);
    add_text(line, "help", p->help);
    line.close();
  }
  line.close_array();
  line.open_array("metrics");
  for (const auto* m = check->metrics; m != nullptr && m->name != nullptr; ++m) {
    line.open_element();
    line.add("name", m->name);
    add_text(line, "unit", m->unit);
    add_text(line, "better", m->better);
    add_text(line, "help", m->help);
    line.close();
  }
  line.close_array();
  line.open_array("by_hand");
  for (const char* const* hand = check->by_hand; hand != nullptr && *hand != nullptr; ++hand) line.push(*hand);
  line.close_array();
  write_line(STDOUT_FILENO, std::move(line).text());
  return 0;
}

// Outlives the runner just long enough to end what it left: reads "+PGID" and "-PGID" lines, and at end of file (the
// runner is gone, however it went) kills every process group still open. A line "=FOLDER" names a folder to
// clear away then: a simulated node, or where a rank's cards lay. Signals meant for the runner's group pass it by.
int guard() {
  ::setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::signal(number, SIG_IGN);
  std::set<pid_t> open_groups;
  std::vector<std::filesystem::path> nodes;
  std::string line;
  char c = 0;
  while (true) {
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (c != '\n') {
      line.push_back(c);
      continue;
    }
    pid_t group = 0;
    if (line.size() > 1) std::from_chars(line.data() + 1, line.data() + line.size(), group);
    if (group > 1 && line.front() == '+') open_groups.insert(group);
    if (group > 1 && line.front() == '-') open_groups.erase(group);
    if (line.starts_with('=')) nodes.emplace_back(line.substr(1));
    line.clear();
  }
  for (const pid_t group : open_groups) ::kill(-group, SIGKILL);
  std::error_code ignored;
  for (const auto& node : nodes) {
    const std::string name = node.filename().string();
    const bool is_ours = name.starts_with("rackproof-simulated-") || name.starts_with("rackproof-cards-");
    if (is_ours) std::filesystem::remove_all(node, ignored);
  }
  return 0;
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// RLIMIT_DATA counts private writable memory. RLIMIT_AS would count reservations too, of which a GPU driver makes
// hundreds of gigabytes without using them.
bool limit_memory(std::uint64_t bytes) {
  const rlimit limit{bytes, bytes};
  return ::setrlimit(RLIMIT_DATA, &limit) == 0;
}

int usage(const char* why) {
  std::fprintf(stderr,
               "rackproof-check: %s\n"
               "usage: rackproof-check [--parent PID] [--memory-limit BYTES] LIBRARY [name=value ...]\n"
               "       rackproof-check --describe LIBRARY\n",
               why);
  return kUsage;
}

// The runner releases this process by a byte on stdin, once its guard knows of it: before that, nothing may run here that
// could start a process which outlives us both. False when the runner died first.
bool is_released() {
  char byte = 0;
  ssize_t got = 0;
  do {
    got = ::read(STDIN_FILENO, &byte, 1);
  } while (got < 0 && errno == EINTR);
  const int nothing = ::open("/dev/null", O_RDONLY);
  const bool is_empty_now = nothing >= 0 && ::dup2(nothing, STDIN_FILENO) == STDIN_FILENO;
  ::close(nothing);
  return got == 1 && is_empty_now;
}

// "hgx-h100-8 with gpu:3 link width 8", "sysroot /captured"; empty on a real machine.
std::string simulated_by(const SysRoot& root) {
  if (const char* node = std::getenv("RACKPROOF_SIMULATION"); node != nullptr && *node != '\0') {
    std::string said;
    std::getline(std::ifstream(std::string(node) + "/said"), said);
    return said.empty() ? std::string("a node in ") + node : said;
  }
  return root.is_real() ? "" : "sysroot " + root.directory();
}

int run(std::vector<const char*> args) {
  // Dies with the runner. The parent may have gone before the signal was asked for, hence the second look.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::size_t next = 0;
  const char* library = nullptr;
  for (; next < args.size() && library == nullptr; ++next) {
    const std::string_view option = args[next];
    if (option == "--parent" && next + 1 < args.size()) {
      const auto parent = number<pid_t>(args[++next]);
      if (!parent) return usage("--parent needs a process id");
      if (::getppid() != *parent || !is_released()) return 1;
    } else if (option == "--memory-limit" && next + 1 < args.size()) {
      const auto bytes = number<std::uint64_t>(args[++next]);
      if (!bytes || !limit_memory(*bytes)) return usage("--memory-limit needs a number of bytes");
    } else if (option.starts_with("--")) {
      return usage("unknown option");
    } else {
      library = args[next];
    }
  }
  if (library == nullptr) return usage("no check library given");
  args.push_back(nullptr);

  // A library that prints must not reach the reports: they get a descriptor of their own, and fd 1 becomes stderr.
  const int events = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (events < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return usage("stdout and stderr must be open");

  // Said here and not by the check, which may be one that says nothing.
  try {
    const SysRoot root = SysRoot::from_environment();
    if (const std::string by = simulated_by(root); !by.empty()) write_line(events, encode(Simulated{by}));
  } catch (const Trouble& trouble) {
    write_line(events, encode(Troubled{trouble.why}));
    return 0;
  }
  const auto [check, trouble] = load(library);
  if (check == nullptr) {
    write_line(events, encode(Troubled{trouble}));
    return 0;
  }
  check->run(events, args.data() + next);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<const char*> args(argv + 1, argv + argc);
  if (args.size() == 1 && std::string_view(args[0]) == "--guard") return guard();
  if (args.size() == 2 && std::string_view(args[0]) == "--describe") return describe(args[1]);
  return run(std::move(args));
}
