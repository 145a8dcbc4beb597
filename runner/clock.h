// The time that the journal's events carry.
#pragma once

#include <chrono>
#include <cstdint>

namespace rackproof {

// Microseconds since the Unix epoch.
inline std::int64_t now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace rackproof
