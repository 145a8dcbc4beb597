#include "checks/storage/log_folder.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

constexpr int kSignals[] = {SIGTERM, SIGINT, SIGHUP};

std::string log_name(int job) { return "phase_bw." + std::to_string(job) + ".log"; }

// The system calls themselves: glibc has their wrappers from 2.36 on only. -1 with errno.
int open_unmounted_tmpfs() {
  const auto fs = static_cast<int>(::syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC));
  if (fs < 0) return -1;
  int mount = -1;
  if (::syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", "64m", 0) == 0 &&
      ::syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "mode", "0700", 0) == 0 &&
      ::syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0) {
    // No FSMOUNT_CLOEXEC: fio is to inherit it.
    mount = static_cast<int>(
        ::syscall(SYS_fsmount, fs, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
  }
  ::close(fs);
  return mount;
}

// What remove_and_die() removes. Filled before the handler is set, and only read by it: a handler may not allocate.
std::vector<std::string> doomed_files;
std::string doomed_folder;

void remove_and_die(int number) {
  for (const std::string& file : doomed_files) ::unlink(file.c_str());
  ::rmdir(doomed_folder.c_str());
  ::raise(number);  // SA_RESETHAND has put the default back
}

void remove_on_signals(const std::string& folder) {
  doomed_folder = folder;
  for (int job = 1; job <= kMostJobs; ++job) doomed_files.push_back(folder + "/" + log_name(job));
  struct sigaction action {};
  action.sa_handler = remove_and_die;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int number : kSignals) ::sigaction(number, &action, nullptr);
}

}  // namespace

LogFolder::LogFolder(const std::string& directory) : fd_(open_unmounted_tmpfs()) {
  if (fd_ >= 0) return;
  std::string name = directory + "/.rackproof-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    throw Trouble{"no folder can be made in " + directory + ": " + std::strerror(errno)};
  }
  name_ = name;
  remove_on_signals(name_);
  fd_ = ::open(name_.c_str(), O_PATH | O_DIRECTORY);
  if (fd_ >= 0) return;
  const std::string why = std::strerror(errno);
  ::rmdir(name_.c_str());
  throw Trouble{name_ + ": " + why};
}

LogFolder::~LogFolder() {
  if (has_name()) {
    take(kMostJobs);
    for (const int number : kSignals) ::signal(number, SIG_DFL);
    ::rmdir(name_.c_str());
  }
  ::close(fd_);
}

std::string LogFolder::prefix() const { return "/proc/self/fd/" + std::to_string(fd_) + "/phase"; }

std::vector<std::string> LogFolder::take(int jobs) {
  std::vector<std::string> logs;
  for (int job = 1; job <= jobs; ++job) {
    std::string& log = logs.emplace_back();
    const int file = ::openat(fd_, log_name(job).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0) continue;
    char block[65536];
    ssize_t got = 0;
    while ((got = ::read(file, block, sizeof block)) > 0) log.append(block, static_cast<std::size_t>(got));
    ::close(file);
    ::unlinkat(fd_, log_name(job).c_str(), 0);
  }
  return logs;
}

}  // namespace rackproof
