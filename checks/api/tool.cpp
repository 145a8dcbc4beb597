#include "checks/api/tool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kLongestErrors = 64 << 10;

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Trouble{std::string("no pipe: ") + std::strerror(errno)};
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() {
    close_read();
    close_write();
  }
  void close_read() { close(read_end); }
  void close_write() { close(write_end); }
  static void close(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

// This process's own. On a simulated node without the way to the stand-in libraries: they are for checks, and a program
// that finds, say, the stand-in libnuma lacks most of the real one.
std::vector<char*> environment_of_tool() {
  const bool is_simulated = std::getenv("RACKPROOF_SIMULATION") != nullptr;
  std::vector<char*> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (is_simulated && std::string_view(*variable).starts_with("LD_LIBRARY_PATH=")) continue;
    kept.push_back(*variable);
  }
  kept.push_back(nullptr);
  return kept;
}

// Everything between fork and exec must be async-signal-safe: the check may have threads.
[[noreturn]] void become(const std::string& path, char* const* argv, char* const* environment, const char* directory,
                         const Pipe& out, const Pipe& errors, const Pipe& failure, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // The check ignores it, and what is ignored stays so over exec.
  ::signal(SIGPIPE, SIG_DFL);
  const int nothing = ::open("/dev/null", O_RDONLY);
  if (::getppid() == parent && (directory == nullptr || ::chdir(directory) == 0) && ::dup2(nothing, 0) == 0 &&
      ::dup2(out.write_end, 1) == 1 && ::dup2(errors.write_end, 2) == 2) {
    ::execve(path.c_str(), argv, environment);
  }
  const int why = errno;
  [[maybe_unused]] const ssize_t written = ::write(failure.write_end, &why, sizeof why);
  ::_exit(127);
}

// Appends what is there; false at end of file. What exceeds the bound is read and dropped, so that the tool never
// blocks on a full pipe.
bool drain(int fd, std::string& into, std::size_t bound, bool& truncated) {
  char block[65536];
  const ssize_t got = ::read(fd, block, sizeof block);
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0) return false;
  const std::size_t room = bound - std::min(bound, into.size());
  const auto size = static_cast<std::size_t>(got);
  into.append(block, std::min(room, size));
  if (size > room) truncated = true;
  return true;
}

bool is_program(const std::string& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 && S_ISREG(facts.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string find_tool(const std::string& name) {
  if (name.find('/') != name.npos) return is_program(name) ? name : "";
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr && *path != '\0' ? path : "/usr/sbin:/usr/bin:/sbin:/bin";
  while (true) {
    const std::size_t colon = rest.find(':');
    const std::string_view directory = rest.substr(0, colon);
    const std::string candidate = std::string(directory) + "/" + name;
    // An empty or relative entry would run whatever lies in the current directory.
    if (directory.starts_with('/') && is_program(candidate)) return candidate;
    if (colon == rest.npos) return "";
    rest.remove_prefix(colon + 1);
  }
}

ToolResult run_tool(const ToolRun& run) {
  const std::string path = find_tool(run.argv.at(0));
  if (path.empty()) throw Trouble{run.argv[0] + ": not found in PATH"};
  std::vector<char*> argv;
  for (const std::string& arg : run.argv) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);

  const std::vector<char*> environment = environment_of_tool();

  Pipe out;
  Pipe errors;
  Pipe failure;
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) throw Trouble{std::string("no new process: ") + std::strerror(errno)};
  if (pid == 0) {
    become(path, argv.data(), environment.data(), run.directory.empty() ? nullptr : run.directory.c_str(), out, errors,
           failure, parent);
  }
  out.close_write();
  errors.close_write();
  failure.close_write();

  int why = 0;
  ssize_t told = -1;
  do {
    told = ::read(failure.read_end, &why, sizeof why);
  } while (told < 0 && errno == EINTR);
  if (told == sizeof why) {
    ::waitpid(pid, nullptr, 0);
    throw Trouble{path + ": " + std::strerror(why)};
  }

  ToolResult result;
  const auto deadline = Clock::now() + run.at_most;
  bool errors_truncated = false;
  int status = 0;
  bool ended = false;
  while (!ended) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0 && !result.timed_out) {
      result.timed_out = true;
      ::kill(pid, SIGKILL);
    }
    pollfd wanted[2] = {{out.read_end, POLLIN, 0}, {errors.read_end, POLLIN, 0}};
    // Short waits: the end of the process is what ends the loop, since a grandchild may hold the pipes open.
    ::poll(wanted, 2, static_cast<int>(std::clamp<long>(left, 1, 20)));
    if (wanted[0].revents != 0 && !drain(out.read_end, result.output, run.at_most_bytes, result.truncated)) {
      out.close_read();
    }
    if (wanted[1].revents != 0 && !drain(errors.read_end, result.errors, kLongestErrors, errors_truncated)) {
      errors.close_read();
    }
    ended = ::waitpid(pid, &status, WNOHANG) == pid;
    if (result.timed_out && !ended && Clock::now() > deadline + std::chrono::seconds(5)) {
      throw Trouble{path + " was killed after its time and does not end: the kernel holds it"};
    }
  }
  for (const int fd : {out.read_end, errors.read_end}) {
    if (fd >= 0) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  while (out.read_end >= 0) {
    const std::size_t before = result.output.size();
    if (!drain(out.read_end, result.output, run.at_most_bytes, result.truncated) || result.output.size() == before) break;
  }
  while (errors.read_end >= 0) {
    const std::size_t before = result.errors.size();
    if (!drain(errors.read_end, result.errors, kLongestErrors, errors_truncated) || result.errors.size() == before) break;
  }
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  return result;
}

}  // namespace rackproof
