#include "checks/api/quantity.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>

namespace rackproof {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

// Units that a reader expects to see beside one another, smallest first.
std::span<const std::string_view> family_of(const Unit& unit) {
  static constexpr std::array<std::string_view, 5> kBytes{"B", "KiB", "MiB", "GiB", "TiB"};
  static constexpr std::array<std::string_view, 5> kByteRate{"B/s", "kB/s", "MB/s", "GB/s", "TB/s"};
  static constexpr std::array<std::string_view, 5> kBitRate{"b/s", "kb/s", "Mb/s", "Gb/s", "Tb/s"};
  static constexpr std::array<std::string_view, 4> kTime{"ns", "us", "ms", "s"};
  static constexpr std::array<std::string_view, 4> kFrequency{"Hz", "kHz", "MHz", "GHz"};
  static constexpr std::array<std::string_view, 2> kOperations{"IOPS", "kIOPS"};
  switch (unit.dimension) {
    case Dimension::bytes: return kBytes;
    case Dimension::byte_rate:
      if (unit.symbol.find('b') != unit.symbol.npos) return kBitRate;
      return kByteRate;
    case Dimension::time: return kTime;
    case Dimension::frequency: return kFrequency;
    case Dimension::operations:
      if (unit.symbol == "/s") return {};
      return kOperations;
    default: return {};
  }
}

}  // namespace

std::optional<Quantity> parse_quantity(std::string_view text, QuantityError& error) {
  const std::string_view whole = trimmed(text);
  double number = 0;
  const auto [end, code] = std::from_chars(whole.data(), whole.data() + whole.size(), number);
  if (code == std::errc::result_out_of_range) {
    error.text = quoted(whole) + " is beyond any number that can be held";
    return std::nullopt;
  }
  if (code != std::errc{} || !std::isfinite(number)) {
    error.text = quoted(whole) + " does not begin with a number";
    return std::nullopt;
  }
  const std::string_view symbol = trimmed(whole.substr(static_cast<std::size_t>(end - whole.data())));
  const Unit* unit = symbol.empty() ? find_unit("count") : find_unit(symbol);
  if (unit == nullptr) {
    error.text = quoted(whole) + " has an unknown unit " + quoted(symbol);
    return std::nullopt;
  }
  const Quantity quantity{number, unit};
  if (!std::isfinite(quantity.base())) {
    error.text = quoted(whole) + " is beyond any number that can be held";
    return std::nullopt;
  }
  return quantity;
}

std::optional<double> convert(const Quantity& from, const Unit& to) {
  if (from.unit->dimension != to.dimension) return std::nullopt;
  const bool to_smaller = from.unit->factor >= to.factor;
  double ratio = to_smaller ? from.unit->factor / to.factor : to.factor / from.unit->factor;
  // 1e-6 / 1e-9 is 999.9999999999999, since neither has an exact double; the ratio that is meant has one.
  const double whole = std::round(ratio);
  if (std::abs(ratio - whole) < 4 * std::numeric_limits<double>::epsilon() * ratio) ratio = whole;
  return to_smaller ? from.number * ratio : from.number / ratio;
}

std::string to_text(const Quantity& quantity) {
  char digits[32];
  const double number = quantity.number;
  const double size = std::abs(number);
  if (size < 1e15 && (size >= 1000 || number == std::floor(number))) {
    std::snprintf(digits, sizeof digits, "%.0f", number);
  } else {
    std::snprintf(digits, sizeof digits, "%.4g", number);
  }
  std::string text = digits;
  if (quantity.unit->symbol == "count" || quantity.unit->symbol == "ratio") return text;
  return text + " " + std::string(quantity.unit->symbol);
}

Quantity readable(const Quantity& quantity) {
  const auto family = family_of(*quantity.unit);
  if (family.empty() || !std::isfinite(quantity.number) || quantity.number == 0) return quantity;
  const Unit* best = find_unit(family.front());
  for (std::string_view symbol : family) {
    const Unit* unit = find_unit(symbol);
    if (std::abs(quantity.base()) >= unit->factor) best = unit;
  }
  return Quantity{*convert(quantity, *best), best};
}

std::string shortest(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  char digits[40];
  const auto [end, code] = std::to_chars(digits, digits + sizeof digits, number);
  return code == std::errc{} ? std::string(digits, end) : std::string("nan");
}

}  // namespace rackproof
