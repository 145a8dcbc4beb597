// One child process: the only place that spawns, waits and kills. It runs in a process group of its own, its stdout and
// stderr come through pipes, and its end is seen through a pidfd: a grandchild may hold the pipes open for ever.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rackproof {

// Closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

struct ChildExit {
  bool signalled = false;
  int code = 0;  // exit status or signal
  std::int64_t cpu_us = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t left_behind = 0;  // members of its group that outlived it and were killed
};

// What a child finds at its stdin: nothing; or nothing until it is released, so that one which waits for that does nothing
// before others know of it; or a pipe that stays open, whose end asks it to end.
enum class Input { none, none_until_released, open };

class Child {
 public:
  // argv[0] is a path. Throws std::system_error when the program cannot be started.
  explicit Child(const std::vector<std::string>& argv, const std::vector<std::string>& extra_environment = {},
                 Input input = Input::none);
  Child(Child&&) noexcept;
  Child& operator=(Child&&) = delete;
  // Kills what is left of the group. A child that the kernel holds is left to it.
  ~Child();

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  Descriptor& out() { return out_; }
  Descriptor& err() { return err_; }

  void release();
  void close_input() { gate_.close(); }
  void signal_group(int number) const;
  // After the pidfd became readable: ends what is left of the group, and collects the child.
  std::optional<ChildExit> collect();

 private:
  pid_t pid_ = -1;
  Descriptor pidfd_;
  Descriptor out_;
  Descriptor err_;
  Descriptor gate_;
};

// A child that only listens on its stdin, for the guard: reads what is written until this end closes, even by a crash.
class ListeningChild {
 public:
  explicit ListeningChild(const std::vector<std::string>& argv);
  ListeningChild(const ListeningChild&) = delete;
  ListeningChild& operator=(const ListeningChild&) = delete;
  ~ListeningChild();  // closes its stdin and waits for its end
  void tell(const std::string& line) const;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  Descriptor in_;
};

// Becomes another program, with this process's environment. Throws std::system_error when it cannot be started.
[[noreturn]] void become(const std::vector<std::string>& argv);

// Makes this process the parent of every orphan below it, so that none escapes by losing its parent.
void adopt_orphans();
// Kills and collects every child of this process that is not among `known`; returns how many there were.
std::int64_t end_strays(const std::vector<pid_t>& known);

// What a short-lived program said, at most 1 MiB of each, and how it ended. Throws std::runtime_error when it takes
// longer than it may.
struct Ended {
  ChildExit exit;
  std::string output;
  std::string errors;
};
Ended run_to_end(const std::vector<std::string>& argv, std::chrono::milliseconds at_most,
                 const std::vector<std::string>& extra_environment = {});

// Its stdout; an end other than status 0 is an exception with a sentence.
std::string output_of(const std::vector<std::string>& argv, std::chrono::milliseconds at_most,
                      const std::vector<std::string>& extra_environment = {});

}  // namespace rackproof
