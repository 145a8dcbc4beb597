// One limit: a sentence such as "busbw on gpu:* >= 90 % of links.speed_capable", parsed and checked before anything
// runs.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "checks/api/quantity.h"
#include "graphs/names.h"

namespace rackproof {

struct MetricDeclaration {
  std::string name;
  std::string unit;
  std::string better;  // "higher", "lower", "exact" or "bound"
  bool operator==(const MetricDeclaration&) const = default;
};

enum class Subject { each, count, spread, shortfall };
enum class Relation { at_least, at_most, equal, within };

// "45 GB/s"
struct FixedBound {
  Quantity value;
  bool operator==(const FixedBound&) const = default;
};

// "90 % of width_capable" (the same device's own), "90 % of STEP.METRIC"; a bare METRIC is 100 % of it.
struct ShareBound {
  double percent = 100;
  std::string step;  // empty: this one
  std::string metric;
  bool operator==(const ShareBound&) const = default;
};

// METRIC [on DEVICE-GLOB] RELATION VALUE. It holds for every measurement of its metric on the devices it names;
// count(METRIC) is the number of devices measured, spread(METRIC) is (max - min) / median over them; shortfall(METRIC),
// of a step that spans nodes, is how far a part lies behind what the fleet's other paths make one expect of it.
struct Limit {
  std::string text;  // as written
  Subject subject = Subject::each;
  std::string metric;
  std::string devices = "*";
  Relation relation = Relation::at_least;
  double tolerance = 0;  // percent, for `within`
  std::variant<FixedBound, ShareBound> bound;
  bool operator==(const Limit&) const = default;
};

struct LimitError {
  std::string text;        // a phrase without a place
  std::size_t offset = 0;  // into the sentence
};

std::optional<Limit> parse_limit(std::string_view sentence, LimitError& error);

// What the metrics of another step are; nullptr when no such step comes before this one.
using StepMetrics = std::function<const std::vector<MetricDeclaration>*(std::string_view step)>;

// Why the limit can never be judged, or could never fail or hold: unknown metric (with a suggestion), a unit that does
// not convert, a bound that physics excludes. Empty when there is nothing to object.
std::string objection_to(const Limit&, std::span<const MetricDeclaration> own, const StepMetrics&);

}  // namespace rackproof
