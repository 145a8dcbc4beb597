// Threads pinned to one CPU each that do one piece of work at the same moment, and the time it took them.
#pragma once

#include <atomic>
#include <barrier>
#include <cstdint>
#include <exception>
#include <functional>
#include <thread>
#include <vector>

namespace rackproof {

// Of the steady clock.
struct Turn {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
};

// From the first to begin to the last to end.
std::int64_t wall_ns(const std::vector<Turn>&);

class Team {
 public:
  // Throws Trouble when a thread cannot be started or pinned.
  explicit Team(const std::vector<int>& cpus);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  std::size_t size() const { return nodes_.size(); }
  // NUMA node of each thread's CPU.
  const std::vector<int>& nodes() const { return nodes_; }

  // Runs `work(rank)` once on every thread. Rethrows what one of them threw.
  std::vector<Turn> run(const std::function<void(std::size_t rank)>& work);

 private:
  void serve(std::size_t rank);
  void take_turn(std::size_t rank);
  void meet();
  void stop();

  std::vector<int> nodes_;
  std::vector<Turn> turns_;
  std::vector<std::exception_ptr> thrown_;
  const std::function<void(std::size_t)>* work_ = nullptr;  // null: leave
  std::barrier<> go_;
  std::barrier<> done_;
  std::atomic<std::size_t> arrived_{0};
  std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace rackproof
