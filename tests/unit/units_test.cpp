#include <catch2/catch.hpp>

#include <set>
#include <string>

#include "checks/api/units.h"

using namespace rackproof;

TEST_CASE("units: no symbol names two units, and each is found by its own") {
  std::set<std::string_view> symbols;
  for (const Unit& unit : units()) {
    INFO(unit.symbol);
    CHECK(symbols.insert(unit.symbol).second);
    CHECK(find_unit(unit.symbol) == &unit);
    CHECK(unit.factor > 0);
  }
  CHECK(symbols.size() > 40);
}

TEST_CASE("units: a prefix means the same before every unit") {
  struct Prefix {
    std::string text;
    double factor;
  };
  int checked = 0;
  for (const std::string base : {"B", "B/s", "b/s", "Hz", "IOPS", "FLOP/s", "W", "J", "s"}) {
    // FLOP/s has no prefix below giga, time none above one: what is not in the table is not asked for.
    for (const auto& [prefix, factor] :
         {Prefix{"n", 1e-9}, Prefix{"u", 1e-6}, Prefix{"m", 1e-3}, Prefix{"k", 1e3}, Prefix{"M", 1e6},
          Prefix{"G", 1e9}, Prefix{"T", 1e12}, Prefix{"P", 1e15}, Prefix{"Ki", 1024.0}, Prefix{"Mi", 1048576.0},
          Prefix{"Gi", 1073741824.0}, Prefix{"Ti", 1099511627776.0}}) {
      const Unit* plain = find_unit(base);
      const Unit* prefixed = find_unit(prefix + base);
      REQUIRE(plain != nullptr);
      if (prefixed == nullptr) continue;
      INFO(prefixed->symbol);
      CHECK(prefixed->factor == Approx(factor * plain->factor).epsilon(1e-15));
      CHECK(prefixed->dimension == plain->dimension);
      ++checked;
    }
  }
  CHECK(checked == 34);
}

TEST_CASE("units: binary and decimal prefixes, bits and bytes") {
  CHECK(find_unit("GiB")->factor == 1073741824.0);
  CHECK(find_unit("GB")->factor == 1e9);
  CHECK(find_unit("MiB/s")->factor == 1048576.0);
  CHECK(find_unit("GB/s")->factor == 1e9);
  CHECK(find_unit("Gb/s")->factor == 125e6);
  CHECK(find_unit("b/s")->factor == 0.125);
  CHECK(find_unit("%")->factor == 0.01);
  CHECK(find_unit("GT/s")->factor == 1e9);
  CHECK(find_unit("us")->factor == find_unit("µs")->factor);
  CHECK(find_unit("h")->factor == 3600.0);
}

TEST_CASE("units: bits per second are a data rate, transfers per second are none") {
  CHECK(find_unit("Gb/s")->dimension == Dimension::byte_rate);
  CHECK(find_unit("GT/s")->dimension == Dimension::transfers);
  CHECK(find_unit("lanes")->dimension == Dimension::lanes);
  CHECK(find_unit("lane")->dimension == Dimension::lanes);
  CHECK(find_unit("IOPS")->dimension == Dimension::operations);
}

TEST_CASE("units: an unknown symbol is none, and the case of a letter counts") {
  for (const char* symbol : {"", "gb/s", "GBps", "GB/S", "GiX", "x16", " GB", "GB ", "K", "sec"}) {
    INFO(symbol);
    CHECK(find_unit(symbol) == nullptr);
  }
}

TEST_CASE("units: every dimension has words of its own") {
  std::set<std::string_view> texts;
  std::set<Dimension> dimensions;
  for (const Unit& unit : units()) {
    dimensions.insert(unit.dimension);
    texts.insert(to_text(unit.dimension));
    CHECK_FALSE(to_text(unit.dimension).empty());
  }
  CHECK(dimensions.size() == 13);
  CHECK(texts.size() == dimensions.size());
}
