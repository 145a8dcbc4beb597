// How long a GPU waits for one load from somewhere: a single thread follows pointers, each of which it has to have before
// it can ask for the next.
#pragma once

#include <cstddef>
#include <cstdint>

#include "checks/gpu/cuda_handles.h"

namespace rackproof {

// Follows `memory`, which holds a cycle of random_cycle() and lies wherever the stream's GPU can reach it, for so many
// steps from place 0, and writes where that led to *last, which is to be compared with place_after(). The loads pass by the
// L1 cache. A broken pointer does not lead out of `words`.
void start_chase(const Stream&, const std::uint64_t* memory, std::size_t words, std::uint64_t steps, std::uint64_t* last);

}  // namespace rackproof
