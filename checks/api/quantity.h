// A number with its unit: parsed from "8 GiB", converted within its dimension, printed back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "checks/api/units.h"

namespace rackproof {

struct Quantity {
  double number = 0;
  const Unit* unit = nullptr;  // never null in a quantity made by parse_quantity

  double base() const { return number * unit->factor; }
  bool operator==(const Quantity&) const = default;
};

struct QuantityError {
  std::string text;  // a phrase without a place: "'8 GiX' has an unknown unit 'GiX'"
};

// "NUMBER UNIT" with or without a blank between; a bare number is a count. Numbers are decimal, may have a fraction and
// an exponent, and must be finite. nullopt fills `error`.
std::optional<Quantity> parse_quantity(std::string_view text, QuantityError& error);

// The same amount in another unit; nullopt across dimensions.
std::optional<double> convert(const Quantity&, const Unit& to);

// "45.2 GB/s": four significant digits, the unit as it is. For people; never parsed back by us.
std::string to_text(const Quantity&);

// The nearest unit of the same family (GB/s for B/s, ms for s) that keeps the number between 1 and 1000.
Quantity readable(const Quantity&);

// The shortest text that reads back as the same double; "nan", "inf" and "-inf" for the rest.
std::string shortest(double);

}  // namespace rackproof
