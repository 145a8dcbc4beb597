// Does something again and again in a thread of its own, for tests of what is watched over a time.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

namespace rackproof::testing {

class Meanwhile {
 public:
  // `step` is called with 1, 2, 3 …, every few milliseconds, for the first time before this returns.
  template <class Step>
  explicit Meanwhile(Step step) {
    step(1);
    thread_ = std::thread([this, step] {
      for (int number = 2; !done_; ++number) {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        step(number);
      }
    });
  }
  Meanwhile(const Meanwhile&) = delete;
  Meanwhile& operator=(const Meanwhile&) = delete;
  ~Meanwhile() {
    done_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace rackproof::testing
