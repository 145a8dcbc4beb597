// A step as it is planned and judged: a check, its parameters, what is expected of it, and its place in the order.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graphs/limit.h"
#include "graphs/span.h"

namespace rackproof {

// The devices that a limits file is for: one of them must have been seen on the node before its limits count.
struct Match {
  std::string kind;  // as a Device has it: "gpu", "package"
  std::string name;  // a glob over Device::name
  bool operator==(const Match&) const = default;
};

struct Expectation {
  Limit limit;
  bool prefer = false;  // missed: a warning, not a failure
  std::string where;    // "recipes/node.yaml:14:13"
  std::string source;   // where the figure comes from, as the limits file says
  std::optional<Match> match;
  bool operator==(const Expectation&) const = default;
};

struct Step {
  std::string id;
  std::string check;
  std::string layer;
  std::string summary;
  std::vector<std::pair<std::string, std::string>> with;  // parameters, as texts that the check parses
  std::vector<Expectation> expectations;
  std::vector<MetricDeclaration> metrics;  // that the check and its watches declare
  std::optional<Span> span;                // on what it is run; nothing: on each node by itself
  bool optional = false;                   // a skip may stand
  std::vector<std::string> needs;          // ids of steps that must pass first on the same node
  std::vector<std::string> claims{"node"};  // steps whose claims do not meet may overlap; "node" meets everything
  std::vector<std::string> watch;          // checks whose counters are read before and after
  std::chrono::milliseconds timeout{60'000};
  std::chrono::milliseconds grace{2'000};  // between SIGTERM and SIGKILL, and again before giving up
  std::uint64_t memory = 0;                // bytes that the check may use; 0: no limit
  bool operator==(const Step&) const = default;
};

}  // namespace rackproof
