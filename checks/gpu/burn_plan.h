// What a burn multiplies: which precisions, how large, and how many products at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checks/gpu/operand_values.h"

namespace rackproof {

struct Precision {
  const char* name;   // as in the names of metrics: "bf16"
  Format in;          // of A and B
  Format out;         // of the product
  int least_compute;  // compute capability times 10 from which GPUs have it
};

std::span<const Precision> precisions();

// Of "auto" those that the GPU has, or those of a list like "bf16,fp8", in the order of precisions(). Throws Trouble for a
// word that names none.
std::vector<const Precision*> chosen_precisions(std::string_view given, int compute);

// Of one beat: what a graph holds without taking long to be made.
inline constexpr int kMostCalls = 4096;

// Square matrices of `size`; all numbers of one kind of GPU, so that every GPU of it does the very same.
struct BurnPlan {
  std::int64_t size = 0;
  int batch = 1;  // products of one call, each into memory of its own
  int calls = 1;  // of one beat; all but the first run as one graph

  std::size_t operand_bytes(const Precision& p) const { return elements() * bytes_of(p.in); }
  std::size_t product_bytes(const Precision& p) const { return elements() * bytes_of(p.out); }
  std::size_t elements() const { return static_cast<std::size_t>(size) * static_cast<std::size_t>(size); }
  int products() const { return batch * calls; }  // of one beat
  double flop() const { return 2.0 * static_cast<double>(size) * static_cast<double>(size) * static_cast<double>(size); }
};

// The largest of 8192, 4096, 2048 and 1024 of which two operands and two products fit into `room`; 0 when none does.
std::int64_t fitting_size(const Precision&, std::size_t room);

// How long a beat should last: 10 ms, longer where a pulse (0: none) would be too many of them.
double wanted_beat_ns(double pulse_ns);

// As many products a call as last a beat, if `room` holds them; and as many calls a beat.
BurnPlan planned(const Precision&, std::int64_t size, std::size_t room, double ns_of_product, double beat_ns);

// Samples should last 50 to 500 ms, and a short burn must still give enough of them.
int beats_of_window(double beat_ns, double duration_ns);

}  // namespace rackproof
