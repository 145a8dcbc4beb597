// Ranks of other processes on this machine: all of them meet in a folder that the unique id names, and each process lays
// there what its ranks bring to a collective.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <string_view>
#include <vector>

namespace rackproof::simulator {

// A message of an exchange to a rank of another process; `which` counts those between the same two.
struct SpanMessage {
  int from = 0;
  int to = 0;
  std::uint64_t which = 0;
  std::uint64_t bytes = 0;
};

// What one process brings to one collective. Each process has a clock of its own, which is set to nought when it comes
// to the first collective.
struct Brought {
  double came_ns = 0;
  double takes_ns = 0;  // if all nodes were as its own
  std::int64_t kind = 0;
  std::int64_t root = 0;
  std::uint64_t content = 0;  // equal numbers, equal bytes
  std::uint64_t bytes = 0;
  std::vector<SpanMessage> messages;  // in the order in which their bytes lie
};

// A file's bytes, as long as this lives.
class Mapped {
 public:
  Mapped() = default;
  Mapped(const std::string& file, std::size_t bytes);
  Mapped(Mapped&& other) noexcept : text_(std::exchange(other.text_, {})) {}
  Mapped& operator=(Mapped&& other) noexcept {
    std::swap(text_, other.text_);
    return *this;
  }
  ~Mapped();
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

class Span {
 public:
  // Makes the folder when no other has. `ours`: the ranks of this process, neighbours. Throws std::runtime_error, like
  // all that follows.
  Span(std::string folder, int ranks, std::vector<int> ours);
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;
  // The last process that leaves clears the folder away; one that died needs not be waited for.
  ~Span();

  // Whether every rank has come.
  bool is_whole();
  // Whether a process ended without leaving.
  bool is_anyone_dead() const;

  // Once it is whole: the processes in the order of their ranks.
  std::size_t processes() const { return processes_.size(); }
  std::size_t process_of(int rank) const;
  std::uint64_t salt() const { return salt_; }

  // `make` gives the bytes where they are not there already. What was put two collectives before is taken back: whoever
  // puts something has everybody's of the one before, so everybody is through with what came earlier.
  void put(std::uint64_t number, const Brought&, const std::function<std::vector<char>()>& make);
  // By process; empty until everybody has put his.
  std::vector<Brought> all_of(std::uint64_t number);
  Mapped bytes_of(std::size_t process, const Brought&) const;

 private:
  std::string file(const std::string& kind, std::uint64_t salt, std::uint64_t number) const;
  std::string file(const std::string& kind, std::uint64_t salt) const;
  void write(const std::string& file, std::string_view first, std::string_view second) const;
  bool has_left_or_died(std::uint64_t salt) const;
  void leave() noexcept;

  struct Process {
    std::uint64_t salt = 0;
    int first = 0;
    int ranks = 0;
  };
  struct Kept {
    std::uint64_t number = 0;
    std::uint64_t content = 0;
  };

  const std::string folder_;
  const std::vector<int> ours_;
  std::uint64_t salt_ = 0;
  int lock_ = -1;  // held on a file of this process's, as long as it lives
  std::vector<std::uint64_t> salt_of_rank_;  // 0: has not come
  std::vector<Process> processes_;
  std::deque<Kept> kept_;
  std::vector<Brought> found_;  // of `looked_for_`
  std::uint64_t looked_for_ = 0;
};

}  // namespace rackproof::simulator
