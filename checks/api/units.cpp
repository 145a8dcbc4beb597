#include "checks/api/units.h"

#include <algorithm>

namespace rackproof {
namespace {

using enum Dimension;

constexpr double kKi = 1024.0;
constexpr double kMi = kKi * kKi;
constexpr double kGi = kMi * kKi;
constexpr double kTi = kGi * kKi;

constexpr Unit kUnits[] = {
    {"count", count, 1},        {"%", ratio, 0.01},         {"ratio", ratio, 1},        {"B", bytes, 1},
    {"kB", bytes, 1e3},         {"MB", bytes, 1e6},         {"GB", bytes, 1e9},         {"TB", bytes, 1e12},
    {"KiB", bytes, kKi},        {"MiB", bytes, kMi},        {"GiB", bytes, kGi},        {"TiB", bytes, kTi},
    {"B/s", byte_rate, 1},      {"kB/s", byte_rate, 1e3},   {"MB/s", byte_rate, 1e6},   {"GB/s", byte_rate, 1e9},
    {"TB/s", byte_rate, 1e12},  {"KiB/s", byte_rate, kKi},  {"MiB/s", byte_rate, kMi},  {"GiB/s", byte_rate, kGi},
    {"TiB/s", byte_rate, kTi},  {"b/s", byte_rate, 0.125},  {"kb/s", byte_rate, 125},   {"Mb/s", byte_rate, 125e3},
    {"Gb/s", byte_rate, 125e6}, {"Tb/s", byte_rate, 125e9}, {"MT/s", transfers, 1e6},   {"GT/s", transfers, 1e9},
    {"lanes", lanes, 1},        {"lane", lanes, 1},         {"ns", time, 1e-9},         {"us", time, 1e-6},
    {"µs", time, 1e-6},         {"ms", time, 1e-3},         {"s", time, 1},             {"min", time, 60},
    {"h", time, 3600},          {"Hz", frequency, 1},       {"kHz", frequency, 1e3},    {"MHz", frequency, 1e6},
    {"GHz", frequency, 1e9},    {"IOPS", operations, 1},    {"kIOPS", operations, 1e3}, {"/s", operations, 1},
    {"FLOP/s", flops, 1},       {"GFLOP/s", flops, 1e9},    {"TFLOP/s", flops, 1e12},   {"PFLOP/s", flops, 1e15},
    {"degC", temperature, 1},   {"°C", temperature, 1},     {"mW", power, 1e-3},        {"W", power, 1},
    {"kW", power, 1e3},         {"mJ", energy, 1e-3},       {"J", energy, 1},           {"kJ", energy, 1e3},
};

}  // namespace

std::span<const Unit> units() { return kUnits; }

const Unit* find_unit(std::string_view symbol) {
  const auto* found = std::ranges::find(kUnits, symbol, &Unit::symbol);
  return found == std::end(kUnits) ? nullptr : found;
}

std::string_view to_text(Dimension dimension) {
  switch (dimension) {
    case count: return "a count";
    case ratio: return "a ratio";
    case bytes: return "an amount of data";
    case byte_rate: return "a data rate";
    case transfers: return "a transfer rate";
    case lanes: return "a number of lanes";
    case time: return "a time";
    case frequency: return "a frequency";
    case operations: return "operations per second";
    case flops: return "floating-point operations per second";
    case temperature: return "a temperature";
    case power: return "a power";
    case energy: return "an energy";
  }
  return "a quantity";
}

}  // namespace rackproof
