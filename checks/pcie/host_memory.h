// Pinned host memory on a NUMA node of one's choice, and the question whether it really lies there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace rackproof {

// What the kernel says of pages spread evenly over some memory.
struct PagePlacement {
  std::int64_t asked = 0;
  std::int64_t misplaced = 0;  // on another node, or not in memory
  std::string refusal{};       // why nothing is known
};

// Ordinary pages, every one written to, pinned and known to every GPU. Its content is arbitrary.
class HostMemory {
 public:
  // `node`: -1 for wherever the kernel likes. `gpu` is one of CUDA's that lives; it is the one that pins. Throws Trouble.
  HostMemory(std::size_t bytes, int node, int gpu);
  HostMemory(HostMemory&&) noexcept;
  HostMemory& operator=(HostMemory&&) = delete;
  ~HostMemory();

  template <class T = void>
  T* get() const {
    return static_cast<T*>(data_);
  }
  std::size_t bytes() const { return bytes_; }
  int node() const { return node_; }

  PagePlacement placement(std::size_t at_most_pages = 4096) const;

 private:
  void* data_ = nullptr;
  std::size_t bytes_;
  int node_;
  int gpu_;
};

// Whether memory can be put on a node at all; a container may forbid it.
bool can_place_memory();

}  // namespace rackproof
