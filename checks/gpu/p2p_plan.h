// Which GPUs copy to which, and what the figures of all pairs say of each GPU and of each pair. No CUDA in here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rackproof {

using Pair = std::pair<std::size_t, std::size_t>;  // from, to: places in the list of GPUs

// All ordered pairs of `n` GPUs, by distance: in each stretch of n every GPU sends once and receives once.
std::vector<Pair> all_pairs(std::size_t n);

// The pairs of one distance, 1 to n - 1: all GPUs busy at once, each sending to one and receiving from one.
std::vector<Pair> shifted(std::size_t n, std::size_t distance);

// "p2p:0000:17:00.0>0000:18:00.0", the device that a pair's figures belong to.
std::string path_id(std::string_view from_address, std::string_view to_address);

// A square of figures, by from and to; 0 where nothing was measured.
using Matrix = std::vector<std::vector<double>>;

// Median over all paths from and to each GPU: one bad peer does not move it, a bad link of its own does. 0 without any.
std::vector<double> median_by_gpu(const Matrix&);

// Each in percent of the median over those that have a figure; 0 for those that have none.
std::vector<double> shares_of_median(const std::vector<double>&);

// A pair's figure in percent of the lesser of its two GPUs' medians, which is what these two can do.
double pair_share(const Matrix&, const std::vector<double>& by_gpu, Pair);

// Who is to blame for wrong copies on these pairs: GPUs that are part of wrong pairs with two or more peers, most first;
// and the pairs that none of them explains.
struct PeerBlame {
  std::vector<std::size_t> gpus;
  std::vector<Pair> pairs;
};
PeerBlame blame(const std::vector<Pair>& wrong, std::size_t n);

}  // namespace rackproof
