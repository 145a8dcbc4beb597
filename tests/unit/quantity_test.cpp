#include <catch2/catch.hpp>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "checks/api/quantity.h"

using namespace rackproof;

namespace {

Quantity parsed(std::string_view text) {
  QuantityError error;
  const auto quantity = parse_quantity(text, error);
  INFO(text << ": " << error.text);
  REQUIRE(quantity.has_value());
  REQUIRE(quantity->unit != nullptr);
  return *quantity;
}

std::string objection(std::string_view text) {
  QuantityError error;
  INFO(text);
  REQUIRE_FALSE(parse_quantity(text, error).has_value());
  return error.text;
}

double in(std::string_view text, std::string_view unit) { return convert(parsed(text), *find_unit(unit)).value(); }

std::string printed(double number, std::string_view unit) { return to_text(Quantity{number, find_unit(unit)}); }

std::string made_readable(std::string_view text) { return to_text(readable(parsed(text))); }

}  // namespace

TEST_CASE("quantity: every unit is parsed, with and without a blank") {
  for (const Unit& unit : units()) {
    const std::string symbol(unit.symbol);
    CHECK(parsed("2.5 " + symbol) == Quantity{2.5, &unit});
    CHECK(parsed("2.5" + symbol) == Quantity{2.5, &unit});
    CHECK(parsed(" \t7e2  " + symbol + "\t") == Quantity{700, &unit});
  }
}

TEST_CASE("quantity: what people write") {
  CHECK(parsed("8 GiB").base() == 8589934592.0);
  CHECK(parsed("450GB/s").base() == 450e9);
  CHECK(parsed("400 Gb/s").base() == 50e9);
  CHECK(parsed("16 lanes") == Quantity{16, find_unit("lanes")});
  CHECK(parsed("-40 degC") == Quantity{-40, find_unit("degC")});
  CHECK(parsed("42") == Quantity{42, find_unit("count")});
  CHECK(parsed(".5 %").base() == Approx(0.005));
  CHECK(parsed("1e3").number == 1000);
}

TEST_CASE("quantity: what is no quantity is refused in words that quote it") {
  CHECK(objection("x16") == "'x16' does not begin with a number");
  CHECK(objection("") == "'' does not begin with a number");
  CHECK(objection("  GB/s ") == "'GB/s' does not begin with a number");
  CHECK(objection("+5 GB") == "'+5 GB' does not begin with a number");
  CHECK(objection("nan") == "'nan' does not begin with a number");
  CHECK(objection("-inf GB/s") == "'-inf GB/s' does not begin with a number");
  CHECK(objection("8 GiX") == "'8 GiX' has an unknown unit 'GiX'");
  CHECK(objection("8 GiB GiB") == "'8 GiB GiB' has an unknown unit 'GiB GiB'");
  CHECK(objection("1,5 GB") == "'1,5 GB' has an unknown unit ',5 GB'");
  CHECK(objection("0x10") == "'0x10' has an unknown unit 'x10'");
  CHECK(objection("5 gb/s") == "'5 gb/s' has an unknown unit 'gb/s'");
  CHECK(objection("1 GB\n") == "'1 GB\n' has an unknown unit 'GB\n'");
}

TEST_CASE("quantity: huge numbers are kept while they can be held, and refused beyond") {
  CHECK(parsed("1e290 GB").base() == Approx(1e299));
  CHECK(parsed("18446744073709551616 B").base() == 18446744073709551616.0);
  CHECK(objection("1e400") == "'1e400' is beyond any number that can be held");
  // The number can be held, in bytes it cannot.
  CHECK(objection("1e308 TB") == "'1e308 TB' is beyond any number that can be held");
  CHECK(objection("-1e308 TB") == "'-1e308 TB' is beyond any number that can be held");
  CHECK(objection(std::string(100000, '9')).ends_with("is beyond any number that can be held"));
}

TEST_CASE("quantity: every pair of units converts within a dimension and never across") {
  for (const Unit& from : units()) {
    for (const Unit& to : units()) {
      INFO(from.symbol << " to " << to.symbol);
      const auto converted = convert(Quantity{3, &from}, to);
      REQUIRE(converted.has_value() == (from.dimension == to.dimension));
      if (converted) CHECK(*converted == Approx(3 * from.factor / to.factor).epsilon(1e-12));
    }
  }
}

TEST_CASE("quantity: a conversion by a whole ratio is exact") {
  // A limit such as `latency == 5 us` on a measurement of 5000 ns holds only if it is.
  for (int n = 1; n <= 1000; ++n) {
    const std::string digits = std::to_string(n);
    REQUIRE(in(digits + " us", "ns") == n * 1000.0);
    REQUIRE(in(digits + "000 ns", "us") == n);
    REQUIRE(in(digits + " ms", "ns") == n * 1e6);
    REQUIRE(in(digits + " h", "ms") == n * 3.6e6);
    REQUIRE(in(digits + " ms", "s") == n / 1000.0);
    REQUIRE(in(digits + " %", "ratio") == n / 100.0);
    REQUIRE(in(digits + " GB/s", "Gb/s") == n * 8.0);
    REQUIRE(in(digits + " GiB", "KiB") == n * 1048576.0);
  }
  CHECK(in("1 GiB", "GB") == Approx(1.073741824).epsilon(1e-15));
  CHECK(in("3 TiB", "kB") == Approx(3298534883.328).epsilon(1e-15));  // nearly a whole ratio, and none
}

TEST_CASE("quantity: text for people has four significant digits and keeps whole numbers whole") {
  CHECK(printed(45.234, "GB/s") == "45.23 GB/s");
  CHECK(printed(1234.56, "GB/s") == "1235 GB/s");
  CHECK(printed(123.456, "GB/s") == "123.5 GB/s");
  CHECK(printed(12, "GB/s") == "12 GB/s");
  CHECK(printed(0.00012345, "s") == "0.0001234 s");
  CHECK(printed(1234567, "B") == "1234567 B");
  CHECK(printed(99.96, "%") == "99.96 %");
  CHECK(printed(-40, "degC") == "-40 degC");
  CHECK(printed(42, "count") == "42");
  CHECK(printed(0.5, "ratio") == "0.5");
  CHECK(printed(1e18, "FLOP/s") == "1e+18 FLOP/s");
  CHECK(printed(std::numeric_limits<double>::quiet_NaN(), "s") == "nan s");
  CHECK(printed(std::numeric_limits<double>::infinity(), "s") == "inf s");
}

TEST_CASE("quantity: a readable one stays in its family and between 1 and 1000") {
  CHECK(made_readable("45200000000 B/s") == "45.2 GB/s");
  CHECK(made_readable("0.0035 s") == "3.5 ms");
  CHECK(made_readable("1000 us") == "1 ms");
  CHECK(made_readable("1000 ns") == "1 us");
  CHECK(made_readable("999 ns") == "999 ns");
  CHECK(made_readable("0.5 ns") == "0.5 ns");
  CHECK(made_readable("-2500 ms") == "-2.5 s");
  CHECK(made_readable("8589934592 B") == "8 GiB");
  CHECK(made_readable("400000 Mb/s") == "400 Gb/s");
  CHECK(made_readable("1500000 Hz") == "1.5 MHz");
  CHECK(made_readable("250000 IOPS") == "250 kIOPS");
  CHECK(made_readable("250000 /s") == "250000 /s");
  CHECK(made_readable("0 GB/s") == "0 GB/s");
  CHECK(made_readable("100000 lanes") == "100000 lanes");
}

TEST_CASE("quantity: the shortest text reads back as the same double") {
  for (const double number : {0.1, 1.0 / 3, 1e-308, 5e-324, 1.7976931348623157e308, -2.5, 1e22, 0.0}) {
    CHECK(std::strtod(shortest(number).c_str(), nullptr) == number);
  }
  CHECK(shortest(0.1) == "0.1");
  CHECK(shortest(42) == "42");
  CHECK(shortest(std::nan("")) == "nan");
  CHECK(shortest(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(shortest(-std::numeric_limits<double>::infinity()) == "-inf");
}
