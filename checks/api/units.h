// The units in which anything is measured or limited, and the dimension each belongs to.
#pragma once

#include <span>
#include <string_view>

namespace rackproof {

enum class Dimension {
  count,
  ratio,        // base: 1 (so % is 0.01)
  bytes,        // base: byte
  byte_rate,    // base: byte/s; bits per second belong here too, at 1/8
  transfers,    // base: transfer/s: PCIe's GT/s, which is a signalling rate and not a data rate
  lanes,        // base: lane
  time,         // base: s
  frequency,    // base: Hz
  operations,   // base: operation/s
  flops,        // base: floating-point operation/s
  temperature,  // base: degree Celsius; no conversion to other scales
  power,        // base: W
  energy,       // base: J
};

struct Unit {
  std::string_view symbol;
  Dimension dimension;
  double factor;  // one of this unit, in the dimension's base unit
};

std::span<const Unit> units();

// nullptr when the symbol names no unit. Symbols are case-sensitive: "Gb/s" is bits, "GB/s" is bytes.
const Unit* find_unit(std::string_view symbol);

// "data rate", "time", … for sentences.
std::string_view to_text(Dimension);

}  // namespace rackproof
