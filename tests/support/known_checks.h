// Invented checks that recipes of the tests can name, without any library behind them.
#pragma once

#include <vector>

#include "runner/catalog.h"

namespace rackproof {

inline ParameterDescription parameter(const char* name, const char* type, const char* default_value,
                                      const char* unit = "") {
  return {.name = name,
          .type = type,
          .default_value = default_value == nullptr ? "" : default_value,
          .has_default = default_value != nullptr,
          .unit = unit,
          .help = ""};
}

inline MetricDescription metric(const char* name, const char* unit, const char* better) {
  return {.declaration = {name, unit, better}, .help = ""};
}

inline Description known_check(const char* name, std::vector<ParameterDescription> parameters,
                               std::vector<MetricDescription> metrics) {
  Description check;
  check.name = name;
  check.parameters = std::move(parameters);
  check.metrics = std::move(metrics);
  return check;
}

inline std::vector<Description> known_checks() {
  std::vector<Description> checks{
      known_check("pcie.link", {},
                  {metric("speed", "GT/s", "higher"), metric("speed_capable", "GT/s", "bound"),
                   metric("width", "lanes", "higher"), metric("width_capable", "lanes", "bound")}),
      known_check("pcie.bandwidth", {}, {metric("h2d", "GB/s", "higher"), metric("d2h", "GB/s", "higher")}),
      known_check("storage.throughput",
                  {parameter("path", "path", nullptr), parameter("size", "quantity", "1 GiB", "B"),
                   parameter("duration", "quantity", "10 s", "s"), parameter("jobs", "integer", "1"),
                   parameter("verify", "boolean", "true"), parameter("mode", "choice read|write|both", "both"),
                   parameter("ratio", "quantity", "1"), parameter("label", "text", "")},
                  {metric("read", "GB/s", "higher"), metric("read_p99", "ms", "lower"),
                   metric("verify_errors", "count", "lower")}),
      known_check("gpu.burn", {},
                  {metric("temperature", "degC", "lower"), metric("busy", "%", "higher"), metric("idle", "%", "lower"),
                   metric("power", "W", "exact")}),
      known_check("host.counters", {}, {metric("aer_correctable", "count", "lower")}),
      known_check("host.silent", {}, {}),
  };
  Description broken;
  broken.name = "nccl.busbw";
  broken.problem = "libnccl.so.2: cannot open shared object file";
  checks.push_back(broken);
  return checks;
}

}  // namespace rackproof
