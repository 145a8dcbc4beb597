// What the fault "flips gemm random" does to a GPU: now and then one bit of one product is wrong, and right again when it is
// next computed.
#pragma once

#include "tests/simulator/machine.h"

namespace rackproof::simulator {

struct Flips {
  double next_ns = -1;
  std::uint64_t count = 0;
  unsigned char* flipped = nullptr;  // the byte; nullptr: all is right
  unsigned char mask = 0;
  void* products = nullptr;
  std::size_t bytes = 0;
  ContentId right = 0;
  ContentId wrong = 0;
};

// Unless the products are gone, or something else lies there now.
void undo(Machine&, Flips&);
// After products were computed.
void flip_now_and_then(Machine&, Flips&, void* products, std::size_t bytes, std::uint64_t salt);

}  // namespace rackproof::simulator
