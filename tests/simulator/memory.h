// The memory of simulated GPUs and pinned memory of the host: ordinary memory of this process, and what is known of its
// content, so that the same work on the same content need not be done twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "tests/simulator/shared_state.h"

namespace rackproof::simulator {

inline constexpr int kHost = -1;

// Names a content: equal numbers, equal bytes.
using ContentId = std::uint64_t;

struct Region {
  char* at = nullptr;
  std::size_t bytes = 0;
  ContentId content = 0;
};

struct Allocation {
  char* base = nullptr;
  std::size_t bytes = 0;
  int gpu = kHost;        // the profile's
  int numa = 0;           // of host memory
  bool is_ours = true;    // false: registered by its owner
  ContentId content = 0;  // of the whole; changed by whatever writes into it
  std::vector<Region> regions;  // whose content is known better
  std::size_t place = 0;        // of a GPU's: where in its memory it lies, the first gap that is large enough
};

class Memory {
 public:
  // nullptr when the GPU has no room.
  void* allocate(int gpu, std::size_t bytes, std::size_t room);
  void adopt(void* base, std::size_t bytes, int numa);  // cudaHostRegister
  bool release(void* base);
  // Host memory that a stand-in put on a NUMA node; anything else is on node 0.
  void place(const void* base, std::size_t bytes, int numa);
  int numa_of(const void*) const;
  Allocation* find(const void* inside);
  std::size_t used(int gpu) const;

  ContentId content(const void* at, std::size_t bytes);
  // Something was written there: anything, or a content with a name.
  void written(const void* at, std::size_t bytes);
  void written(void* at, std::size_t bytes, ContentId content);
  // Something was written, nobody knows where, into the allocation that holds this.
  void touched(const void* inside);
  // The same of all that a GPU has: adapters wrote there.
  void touched(int gpu);
  // How often anything was written into a GPU's memory: as long as the number stays, so does all of its content.
  std::uint64_t changes(int gpu) const { return gpu == kHost ? 0 : changes_[static_cast<std::size_t>(gpu)]; }
  // Where a content lies now; nullptr when it lies nowhere.
  const void* where(ContentId, std::size_t bytes);

 private:
  ContentId fresh() { return ++last_content_; }
  struct Placed {
    std::size_t bytes = 0;
    int numa = 0;
  };
  std::map<std::uintptr_t, Allocation> by_base_;
  std::map<std::uintptr_t, Placed> placed_;
  void count_change(const Allocation& one) {
    if (one.gpu != kHost) ++changes_[static_cast<std::size_t>(one.gpu)];
  }
  std::map<int, std::size_t> used_;
  std::uint64_t changes_[kMostGpus] = {};
  std::size_t first_gap(int gpu, std::size_t bytes) const;
  Allocation* last_found_ = nullptr;
  std::unordered_map<ContentId, Region> seen_;
  ContentId last_content_ = 0;  // derived ones have the top bit set, so that the two never meet
};

// Mixes numbers into the name of a content that follows from them.
ContentId derived_content(std::uint64_t a, std::uint64_t b);

}  // namespace rackproof::simulator
