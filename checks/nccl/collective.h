// What each collective moves: how much of it a rank holds before and after, and by which factor its rate is told.
#pragma once

#include <cstddef>
#include <string_view>

namespace rackproof {

// The numbers are what the kernels of values.h know them by.
enum class Collective {
  all_reduce = 0,
  all_gather = 1,
  reduce_scatter = 2,
  all_to_all = 3,
  broadcast = 4,
  send_receive = 5
};

// "allreduce", as the parameter says it. Throws Trouble for any other word.
Collective parse_collective(std::string_view);
std::string_view to_text(Collective);  // "all-reduce"

// By what bytes / time is multiplied so that it can be compared with a link's rate: what the busiest link carries of
// each byte, as nccl-tests has it.
double bus_factor(Collective, int ranks);

// What of busbw leaves each node, in each direction, where `ours` of the ranks are its: all that a ring carries passes
// every node. 0: through one adapter of many, so that it says nothing of the others.
double leaving_factor(Collective, int ranks, int ours);

// Whether input and output may be the same memory.
bool has_in_place(Collective);

// In floats. Parts are multiples of four (16 bytes), so that every rank's part is aligned.
struct Extents {
  std::size_t bytes = 0;     // that the rate is told of: what a rank holds in all
  std::size_t part = 0;      // of one rank; of what has no parts, the whole, rounded up
  std::size_t sent = 0;      // that a rank gives
  std::size_t received = 0;  // that it gets
};

// The nearest size that the collective can have to the one that is asked for.
Extents extents_of(Collective, int ranks, std::size_t bytes);

// Rounded up to whole vectors of four.
std::size_t whole_vectors(std::size_t floats);

// Where a rank's input and output lie in the one buffer of an operation in place, in floats, and how long that is.
struct InPlace {
  std::size_t sent_at = 0;
  std::size_t received_at = 0;
  std::size_t length = 0;
};
InPlace in_place(Collective, const Extents&, int rank);

}  // namespace rackproof
