#include "runner/local_launcher.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

namespace rackproof {
namespace {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// A report is a few hundred bytes; a check that writes more than this without a newline is not writing reports.
constexpr std::size_t kLongestLine = 64 << 10;
constexpr std::size_t kKeptErrors = 16 << 10;
// Of one child before the others get their turn.
constexpr int kBlocksATurn = 16;

sigset_t runner_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGINT);
  ::sigaddset(&set, SIGTERM);
  return set;
}

std::string last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  const std::size_t newline = text.rfind('\n');
  if (newline != text.npos) text.remove_prefix(newline + 1);
  return std::string(text.substr(0, 500));
}

}  // namespace

HeldSignals::HeldSignals() {
  const sigset_t set = runner_signals();
  ::sigprocmask(SIG_BLOCK, &set, &before_);
}

HeldSignals::~HeldSignals() {
  if (::sigismember(&before_, SIGTERM) == 1) return;
  const sigset_t set = runner_signals();
  const timespec at_once{};
  while (::sigtimedwait(&set, nullptr, &at_once) > 0) continue;
  ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

LocalLauncher::LocalLauncher(const std::vector<std::string>& guard, std::vector<std::string> environment)
    : guard_(guard), environment_(std::move(environment)) {
  const sigset_t set = runner_signals();
  signals_ = Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.open()) throw std::system_error(errno, std::generic_category(), "signalfd");
  ::signal(SIGPIPE, SIG_IGN);
  adopt_orphans();
}

void LocalLauncher::clear_at_the_end(const std::string& folder) { guard_.tell(fmt::format("={}\n", folder)); }

void LocalLauncher::start(const Launch& launch) {
  try {
    const auto now = Clock::now();
    std::vector<std::string> environment = environment_;
    environment.insert(environment.end(), launch.environment.begin(), launch.environment.end());
    auto running = std::unique_ptr<Running>(new Running{.launch = launch,
                                                        .child = Child(launch.argv, environment,
                                                                       launch.listens ? Input::open : Input::none_until_released),
                                                        .started = now,
                                                        .next_rung = now + launch.timeout,
                                                        .stopped = {},
                                                        .partial = {},
                                                        .errors = {}});
    guard_.tell(fmt::format("+{}\n", running->child.pid()));
    if (!launch.listens) running->child.release();
    running_[launch.trial] = std::move(running);
  } catch (const std::system_error& error) {
    Ending ending;
    ending.how = Ending::How::not_started;
    ending.why = error.what();
    happened_.push_back(Finished{launch.trial, std::move(ending), ""});
  }
}

void LocalLauncher::stop(const std::string& trial, const std::string& why) {
  const auto found = running_.find(trial);
  if (found == running_.end() || found->second->rung != Rung::running) return;
  found->second->stopped = why;
  found->second->next_rung = Clock::now();
  climb(*found->second);
}

Happening LocalLauncher::wait(milliseconds at_most) {
  const auto deadline = Clock::now() + at_most;
  while (happened_.empty()) {
    auto next = deadline;
    for (const auto& [trial, running] : running_) next = std::min(next, running->next_rung);
    // Rounded up: a millisecond too early would only turn into a busy loop.
    const auto left = duration_cast<milliseconds>(next - Clock::now()).count() + 1;
    collect_events(static_cast<int>(std::clamp<long>(left, 0, 60'000)));
    if (happened_.empty() && Clock::now() >= deadline) return Quiet{};
  }
  Happening first = std::move(happened_.front());
  happened_.pop_front();
  return first;
}

void LocalLauncher::collect_events(int timeout_ms) {
  std::vector<pollfd> wanted{{signals_.get(), POLLIN, 0}};
  std::vector<Running*> whose{nullptr};
  for (const auto& [trial, running] : running_) {
    for (const int fd : {running->child.out().get(), running->child.err().get(), running->child.pidfd()}) {
      wanted.push_back({fd, POLLIN, 0});  // a closed one is -1, which poll passes over
      whose.push_back(running.get());
    }
  }
  ::poll(wanted.data(), wanted.size(), timeout_ms);

  if (signalfd_siginfo info{}; ::read(signals_.get(), &info, sizeof info) == sizeof info) {
    happened_.push_back(Interrupted{static_cast<int>(info.ssi_signo)});
  }
  std::vector<std::string> ended;
  for (std::size_t i = 1; i < wanted.size(); i += 3) {
    Running& running = *whose[i];
    if (wanted[i].revents != 0) read_out(running);
    if (wanted[i + 1].revents != 0) read_err(running);
    if (wanted[i + 2].revents != 0 && finish(running)) {
      ended.push_back(running.launch.trial);
    } else if (Clock::now() >= running.next_rung) {
      if (running.rung == Rung::killed) {
        give_up(running);
        ended.push_back(running.launch.trial);
      } else {
        climb(running);
      }
    }
  }
  for (const std::string& trial : ended) running_.erase(trial);
}

void LocalLauncher::read_out(Running& running) {
  char block[65536];
  for (int turn = 0; turn < kBlocksATurn; ++turn) {
    const ssize_t got = ::read(running.child.out().get(), block, sizeof block);
    if (got < 0) return;
    if (got == 0) return running.child.out().close();
    if (running.overlong) continue;
    std::string_view rest(block, static_cast<std::size_t>(got));
    for (std::size_t newline; (newline = rest.find('\n')) != rest.npos; rest.remove_prefix(newline + 1)) {
      running.partial += rest.substr(0, newline);
      happened_.push_back(Said{running.launch.trial, std::move(running.partial)});
      running.partial.clear();
    }
    running.partial += rest;
    if (running.partial.size() > kLongestLine) {
      running.overlong = true;
      running.partial = {};
      const std::string why = fmt::format("wrote a line longer than {} KiB, which can be no report", kLongestLine >> 10);
      happened_.push_back(Babbled{running.launch.trial, why});
      stop(running.launch.trial, why);
      return;
    }
  }
}

void LocalLauncher::read_err(Running& running) {
  char block[65536];
  for (int turn = 0; turn < kBlocksATurn; ++turn) {
    const ssize_t got = ::read(running.child.err().get(), block, sizeof block);
    if (got < 0) return;
    if (got == 0) return running.child.err().close();
    running.errors.append(block, static_cast<std::size_t>(got));
    if (running.errors.size() > kKeptErrors) running.errors.erase(0, running.errors.size() - kKeptErrors);
  }
}

void LocalLauncher::climb(Running& running) {
  const bool first = running.rung == Rung::running;
  if (first && running.launch.listens) {
    running.child.close_input();
  } else {
    running.child.signal_group(first ? SIGTERM : SIGKILL);
  }
  running.rung = first ? Rung::terminated : Rung::killed;
  running.next_rung = Clock::now() + running.launch.grace;
}

bool LocalLauncher::finish(Running& running) {
  if (running.child.out().open()) read_out(running);
  if (running.child.err().open()) read_err(running);
  const pid_t pid = running.child.pid();
  const auto exit = running.child.collect();
  if (!exit) return false;
  guard_.tell(fmt::format("-{}\n", pid));
  if (!running.partial.empty()) {
    happened_.push_back(Babbled{running.launch.trial, "ended in the middle of a line"});
  }

  Ending ending;
  ending.how = exit->signalled ? Ending::How::signalled : Ending::How::exited;
  if (running.rung != Rung::running) ending.how = Ending::How::timed_out;
  if (!running.stopped.empty()) ending.how = Ending::How::stopped;
  ending.code = exit->code;
  // A check that ends by itself on SIGTERM was ended by it all the same.
  if (ending.how == Ending::How::timed_out && !exit->signalled) ending.code = SIGTERM;
  ending.duration_us = duration_cast<microseconds>(Clock::now() - running.started).count();
  ending.cpu_us = exit->cpu_us;
  ending.memory_bytes = exit->memory_bytes;
  ending.left_behind = exit->left_behind;
  // With another trial running, an orphan may be that one's own business.
  const auto others = std::ranges::count_if(running_, [](const auto& each) { return !each.second->launch.listens; });
  if (others == 1) ending.left_behind += end_strays(known_children());
  ending.why = running.stopped;
  ending.last_error = last_line(running.errors);
  happened_.push_back(Finished{running.launch.trial, std::move(ending), std::move(running.errors)});
  return true;
}

void LocalLauncher::give_up(Running& running) {
  Ending ending;
  ending.how = Ending::How::unkillable;
  ending.duration_us = duration_cast<microseconds>(Clock::now() - running.started).count();
  ending.last_error = last_line(running.errors);
  happened_.push_back(Finished{running.launch.trial, std::move(ending), std::move(running.errors)});
  abandoned_.push_back(std::move(running.child));
}

std::vector<pid_t> LocalLauncher::known_children() const {
  std::vector<pid_t> known{guard_.pid()};
  for (const auto& [trial, running] : running_) known.push_back(running->child.pid());
  for (const Child& child : abandoned_) known.push_back(child.pid());
  return known;
}

}  // namespace rackproof
