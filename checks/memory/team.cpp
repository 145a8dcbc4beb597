#include "checks/memory/team.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "checks/api/last_word.h"

namespace rackproof {
namespace {

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void pin_to(int cpu) {
  std::vector<cpu_set_t> mask(static_cast<std::size_t>(cpu) / CPU_SETSIZE + 1);
  const std::size_t size = mask.size() * sizeof(cpu_set_t);
  CPU_SET_S(static_cast<std::size_t>(cpu), size, mask.data());
  if (::sched_setaffinity(0, size, mask.data()) != 0) {
    throw Trouble{"no thread can be pinned to CPU " + std::to_string(cpu) + ": " + std::strerror(errno)};
  }
}

int current_node() {
  unsigned cpu = 0;
  unsigned node = 0;
  return ::getcpu(&cpu, &node) == 0 ? static_cast<int>(node) : 0;
}

}  // namespace

std::int64_t wall_ns(const std::vector<Turn>& turns) {
  const auto first = std::ranges::min_element(turns, {}, &Turn::begin_ns);
  const auto last = std::ranges::max_element(turns, {}, &Turn::end_ns);
  return last->end_ns - first->begin_ns;
}

Team::Team(const std::vector<int>& cpus)
    : nodes_(cpus.size()),
      turns_(cpus.size()),
      thrown_(cpus.size()),
      go_(static_cast<std::ptrdiff_t>(cpus.size()) + 1),
      done_(static_cast<std::ptrdiff_t>(cpus.size()) + 1) {
  try {
    for (std::size_t rank = 0; rank < cpus.size(); ++rank) threads_.emplace_back(&Team::serve, this, rank);
  } catch (const std::system_error& error) {
    // Those that were never started will not come to the barriers.
    for (std::size_t missing = threads_.size(); missing < cpus.size(); ++missing) {
      go_.arrive_and_drop();
      done_.arrive_and_drop();
    }
    const int cpu = cpus[threads_.size()];
    stop();
    throw Trouble{"no thread for CPU " + std::to_string(cpu) + ": " + error.what()};
  }
  try {
    run([&](std::size_t rank) {
      pin_to(cpus[rank]);
      nodes_[rank] = current_node();
    });
  } catch (...) {
    stop();
    throw;
  }
}

Team::~Team() { stop(); }

void Team::stop() {
  if (threads_.empty()) return;
  work_ = nullptr;
  go_.arrive_and_wait();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::vector<Turn> Team::run(const std::function<void(std::size_t)>& work) {
  work_ = &work;
  arrived_ = 0;
  go_.arrive_and_wait();
  done_.arrive_and_wait();
  for (std::exception_ptr& thrown : thrown_) {
    if (thrown) std::rethrow_exception(std::exchange(thrown, nullptr));
  }
  return turns_;
}

void Team::serve(std::size_t rank) {
  while (true) {
    go_.arrive_and_wait();
    if (work_ == nullptr) return;
    take_turn(rank);
    done_.arrive_and_wait();
  }
}

// Waking threads one after another takes the kernel up to milliseconds on large machines: they meet once more, awake.
void Team::meet() {
  ++arrived_;
  while (arrived_ < size()) std::this_thread::yield();
}

void Team::take_turn(std::size_t rank) {
  meet();
  turns_[rank].begin_ns = now_ns();
  try {
    (*work_)(rank);
  } catch (...) {
    thrown_[rank] = std::current_exception();
  }
  turns_[rank].end_ns = now_ns();
}

}  // namespace rackproof
