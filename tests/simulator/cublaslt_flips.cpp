#include "tests/simulator/cublaslt_flips.h"

namespace rackproof::simulator {

void undo(Machine& machine, Flips& flips) {
  if (flips.flipped == nullptr) return;
  if (machine.memory().content(flips.products, flips.bytes) == flips.wrong) {
    *flips.flipped ^= flips.mask;
    machine.memory().written(flips.products, flips.bytes, flips.right);
  }
  flips.flipped = nullptr;
}

void flip_now_and_then(Machine& machine, Flips& flips, void* products, std::size_t bytes, std::uint64_t salt) {
  constexpr double kFirstNs = 100e6;
  constexpr double kEveryNs = 400e6;
  const double now = machine.timeline().now_ns();
  if (flips.next_ns < 0) flips.next_ns = now + kFirstNs;
  if (now < flips.next_ns) return;
  flips.next_ns = now + kEveryNs;
  const std::uint64_t where = derived_content(salt, ++flips.count);
  flips.products = products;
  flips.bytes = bytes;
  flips.right = machine.memory().content(products, bytes);
  flips.flipped = static_cast<unsigned char*>(products) + where % bytes;
  flips.mask = static_cast<unsigned char>(1u << (where >> 40) % 8);
  *flips.flipped ^= flips.mask;
  machine.memory().written(products, bytes);
  flips.wrong = machine.memory().content(products, bytes);
}

}  // namespace rackproof::simulator
