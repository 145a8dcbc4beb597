#include "runner/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

extern char** environ;

namespace rackproof {
namespace {

[[noreturn]] void fail(int why, const std::string& what) { throw std::system_error(why, std::generic_category(), what); }

struct Pipe {
  Descriptor read_end;
  Descriptor write_end;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) fail(errno, "pipe");
    read_end = Descriptor(ends[0]);
    write_end = Descriptor(ends[1]);
  }
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

// posix_spawn, because its vfork does not copy the page tables of a runner that holds a large graph.
pid_t spawn(const std::vector<std::string>& argv, const std::vector<std::string>& extra_environment, int in, int out,
            int err) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  if (in >= 0) {
    ::posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  } else {
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  if (out >= 0) ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (err >= 0) ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);

  // The runner blocks the signals that it reads from a descriptor; a check must start with none blocked.
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) environment.push_back(*variable);
  for (const std::string& variable : extra_environment) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    std::erase_if(environment, [&](const char* old) { return std::string_view(old).starts_with(name); });
    environment.push_back(const_cast<char*>(variable.c_str()));
  }
  environment.push_back(nullptr);

  pid_t pid = -1;
  const int why = ::posix_spawn(&pid, argv.at(0).c_str(), &actions, &attributes, pointers(argv).data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (why != 0) fail(why, argv[0]);
  return pid;
}

// What is on its way out by itself was not left behind.
constexpr int kPatienceMs = 100;

// Members of a group become our own children when their parent dies (see adopt_orphans). While one of them lives, the
// group's number is not given to another process.
std::int64_t end_group(pid_t group) {
  const auto collect_ended = [group] {
    std::int64_t ended = 0;
    while (::waitpid(-group, nullptr, WNOHANG) > 0) ++ended;
    return ended;
  };
  for (int ms = 0; ms < kPatienceMs; ++ms) {
    collect_ended();
    if (::kill(-group, 0) != 0) return 0;
    ::usleep(1000);
  }
  ::kill(-group, SIGKILL);
  std::int64_t killed = 0;
  for (int ms = 0; ms < kPatienceMs && ::kill(-group, 0) == 0; ++ms) {
    ::usleep(1000);
    killed += collect_ended();
  }
  return std::max<std::int64_t>(killed, 1);
}

bool ends_within(pid_t pid, int at_most_ms) {
  for (int ms = 0; ms < at_most_ms; ++ms) {
    if (::waitpid(pid, nullptr, WNOHANG) != 0) return true;
    ::usleep(1000);
  }
  return false;
}

std::int64_t microseconds(const timeval& time) { return std::int64_t{1'000'000} * time.tv_sec + time.tv_usec; }

}  // namespace

void Descriptor::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Child::Child(const std::vector<std::string>& argv, const std::vector<std::string>& extra_environment, Input input) {
  Pipe out;
  Pipe err;
  std::optional<Pipe> in;
  if (input != Input::none) in.emplace();
  pid_ = spawn(argv, extra_environment, in ? in->read_end.get() : -1, out.write_end.get(), err.write_end.get());
  pidfd_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!pidfd_.open()) {
    const int why = errno;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    fail(why, "pidfd_open");
  }
  out_ = std::move(out.read_end);
  err_ = std::move(err.read_end);
  if (in) gate_ = std::move(in->write_end);
  ::fcntl(out_.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(err_.get(), F_SETFL, O_NONBLOCK);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)),
      gate_(std::move(other.gate_)) {}

Child::~Child() {
  if (pid_ < 0) return;
  signal_group(SIGKILL);
  ::waitpid(pid_, nullptr, WNOHANG);
}

void Child::release() {
  // Nobody reads it where the child has ended already; its end is then seen as any other.
  [[maybe_unused]] const ssize_t written = ::write(gate_.get(), "\n", 1);
  gate_.close();
}

void Child::signal_group(int number) const {
  if (pid_ > 1) ::kill(-pid_, number);
}

std::optional<ChildExit> Child::collect() {
  int status = 0;
  rusage usage{};
  const pid_t got = ::wait4(pid_, &status, WNOHANG, &usage);
  if (got != pid_) return std::nullopt;
  ChildExit exit;
  exit.signalled = WIFSIGNALED(status);
  exit.code = exit.signalled ? WTERMSIG(status) : WEXITSTATUS(status);
  exit.cpu_us = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
  exit.memory_bytes = std::int64_t{1024} * usage.ru_maxrss;
  exit.left_behind = end_group(pid_);
  pid_ = -1;
  return exit;
}

ListeningChild::ListeningChild(const std::vector<std::string>& argv) {
  Pipe in;
  pid_ = spawn(argv, {}, in.read_end.get(), -1, -1);
  in_ = std::move(in.write_end);
}

ListeningChild::~ListeningChild() {
  in_.close();
  ::waitpid(pid_, nullptr, 0);
}

void ListeningChild::tell(const std::string& line) const {
  [[maybe_unused]] const ssize_t written = ::write(in_.get(), line.data(), line.size());
}

void become(const std::vector<std::string>& argv) {
  ::execv(argv.at(0).c_str(), pointers(argv).data());
  fail(errno, argv[0]);
}

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

std::int64_t end_strays(const std::vector<pid_t>& known) {
  std::int64_t ended = 0;
  std::ifstream list(fmt::format("/proc/self/task/{}/children", ::getpid()));
  std::vector<pid_t> strays;
  for (pid_t pid = 0; list >> pid;) {
    if (std::ranges::count(known, pid) == 0) strays.push_back(pid);
  }
  for (const pid_t pid : strays) {
    if (ends_within(pid, kPatienceMs)) continue;
    ::kill(pid, SIGKILL);
    ends_within(pid, kPatienceMs);
    ++ended;
  }
  return ended;
}

namespace {

// What is there to be read now, of which at most 1 MiB is kept.
void read_what_is_there(Descriptor& from, std::string& into) {
  constexpr std::size_t kLongest = 1 << 20;
  char block[65536];
  ssize_t got = -1;
  while (from.open() && (got = ::read(from.get(), block, sizeof block)) > 0) {
    into.append(block, std::min(static_cast<std::size_t>(got), kLongest - std::min(kLongest, into.size())));
  }
  if (got == 0) from.close();
}

}  // namespace

Ended run_to_end(const std::vector<std::string>& argv, std::chrono::milliseconds at_most,
                 const std::vector<std::string>& extra_environment) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  Child child(argv, extra_environment);
  Ended ended;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) throw std::runtime_error(fmt::format("{} did not end within {} ms", argv[0], at_most.count()));
    pollfd wanted[3] = {{child.out().get(), POLLIN, 0}, {child.err().get(), POLLIN, 0}, {child.pidfd(), POLLIN, 0}};
    ::poll(wanted, 3, static_cast<int>(left));
    const bool is_over = (wanted[2].revents & POLLIN) != 0;
    read_what_is_there(child.out(), ended.output);
    read_what_is_there(child.err(), ended.errors);
    if (!is_over) continue;
    ended.exit = child.collect().value_or(ChildExit{.code = -1});
    return ended;
  }
}

std::string output_of(const std::vector<std::string>& argv, std::chrono::milliseconds at_most,
                      const std::vector<std::string>& extra_environment) {
  Ended ended = run_to_end(argv, at_most, extra_environment);
  if (ended.exit.signalled || ended.exit.code != 0) {
    throw std::runtime_error(
        fmt::format("{} ended with {} {}", argv[0], ended.exit.signalled ? "signal" : "status", ended.exit.code));
  }
  return std::move(ended.output);
}

}  // namespace rackproof
