// What cannot be given back, because something that does not end may still use it, is kept until the process is gone.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace rackproof {

// Never destroyed, and still reachable, so that nobody takes it for a leak. For one thread.
template <class T>
void keep_for_good(std::unique_ptr<T>& one) {
  static auto& kept = *new std::vector<std::unique_ptr<T>>;
  kept.push_back(std::move(one));
}

}  // namespace rackproof
