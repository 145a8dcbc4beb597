// The rules that keep a limit which says nothing, or demands the impossible, from ever being judged.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "graphs/limit.h"

namespace rackproof {
namespace {

constexpr double kAbsoluteZero = -273.15;  // degC

struct Declared {
  const MetricDeclaration& metric;
  const Unit& unit;
};

const MetricDeclaration* find_metric(std::span<const MetricDeclaration> metrics, std::string_view name) {
  const auto found = std::ranges::find(metrics, name, &MetricDeclaration::name);
  return found == metrics.end() ? nullptr : &*found;
}

std::string unknown_metric(std::string_view name, std::span<const MetricDeclaration> metrics) {
  std::vector<std::string> known;
  for (const MetricDeclaration& metric : metrics) known.push_back(metric.name);
  if (known.empty()) return fmt::format("unknown metric '{}': the check declares none", name);
  if (std::string meant = did_you_mean(name, known); !meant.empty()) {
    return fmt::format("unknown metric '{}'{}", name, meant);
  }
  return fmt::format("unknown metric '{}': there is {}", name, fmt::join(known, ", "));
}

// "12 ms" as it was meant to be read: digits in full, unit as written.
std::string written(const Quantity& value) {
  const std::string number = shortest(value.number);
  return value.unit->symbol == "count" ? number : fmt::format("{} {}", number, value.unit->symbol);
}

bool is_bare(const Quantity& value) { return value.unit->dimension == Dimension::count; }

std::string objection_to_dimension(const Quantity& value, const Declared& own) {
  if (value.unit->dimension == own.unit.dimension) return "";
  const std::string is = fmt::format("{} is {} ({})", own.metric.name, to_text(own.unit.dimension), own.metric.unit);
  if (own.unit.dimension == Dimension::count) {
    return fmt::format("{} is a count, '{}' is {}", own.metric.name, value.unit->symbol,
                       to_text(value.unit->dimension));
  }
  if (!is_bare(value)) return fmt::format("{}, '{}' is {}", is, value.unit->symbol, to_text(value.unit->dimension));
  if (own.unit.dimension == Dimension::ratio) {
    return fmt::format("{}, '{}' has no unit: write a percentage such as '95 %'", is, written(value));
  }
  return fmt::format("{}, '{}' has no unit: write '{} {}'", is, written(value), shortest(value.number),
                     own.metric.unit);
}

std::string objection_to_number(const Limit& limit, const Quantity& value, const Declared& own) {
  const bool thermometer = own.unit.dimension == Dimension::temperature;
  const double least = thermometer ? kAbsoluteZero : 0;
  if (value.base() < least) {
    return fmt::format("{} is {}, and none is below {}", own.metric.name, to_text(own.unit.dimension),
                       thermometer ? "-273.15 degC" : "0");
  }
  if (limit.relation == Relation::at_least && value.base() == least) {
    return fmt::format("'{}' can never fail", limit.text);
  }
  if (limit.relation == Relation::within && value.number == 0) {
    return fmt::format("within a percentage of 0 is 0 itself: write '{} == 0'", limit.metric);
  }
  const bool share_of_whole = own.unit.dimension == Dimension::ratio && own.metric.better == "higher";
  if (share_of_whole && value.base() > 1) {
    if (limit.relation == Relation::at_most) return fmt::format("'{}' can never fail", limit.text);
    return fmt::format("{} cannot exceed 100 %, so '{}' can never hold", own.metric.name, limit.text);
  }
  return "";
}

std::string objection_to_count(const Limit& limit, const Quantity& value) {
  if (!is_bare(value) || value.number < 0 || value.number != std::floor(value.number)) {
    return fmt::format("count({}) is a whole number of devices, '{}' is not", limit.metric, written(value));
  }
  if (limit.relation == Relation::within) {
    return fmt::format("devices are counted one by one: write 'count({}) == {}'", limit.metric, written(value));
  }
  if (limit.relation == Relation::at_least && value.number == 0) {
    return fmt::format("'{}' can never fail", limit.text);
  }
  return "";
}

// spread() and shortfall().
std::string objection_to_ratio(const Limit& limit, const Quantity& value) {
  const std::string name = fmt::format("{}({})", limit.subject == Subject::spread ? "spread" : "shortfall", limit.metric);
  if (limit.relation != Relation::at_most) {
    return fmt::format("{0} is held from above only: write '{0} <= ...'", name);
  }
  if (is_bare(value)) {
    return fmt::format("{} is a ratio, '{}' has no unit: write a percentage such as '5 %'", name, written(value));
  }
  if (value.unit->dimension != Dimension::ratio) {
    return fmt::format("{} is a ratio, '{}' is {}: write a percentage such as '5 %'", name, value.unit->symbol,
                       to_text(value.unit->dimension));
  }
  if (value.number < 0) return fmt::format("{} is a ratio, and none is below 0", name);
  return "";
}

std::string objection_to_fixed(const Limit& limit, const Quantity& value, const Declared& own) {
  if (value.unit == nullptr || !std::isfinite(value.base())) return "nothing can be held against what is no number";
  if (limit.subject == Subject::count) return objection_to_count(limit, value);
  if (limit.subject != Subject::each) return objection_to_ratio(limit, value);
  if (std::string why = objection_to_dimension(value, own); !why.empty()) return why;
  return objection_to_number(limit, value, own);
}

std::string objection_to_share(const Limit& limit, const ShareBound& share, const Declared& own,
                               std::span<const MetricDeclaration> there) {
  if (limit.subject != Subject::each) return "count(), spread() and shortfall() are held against a number, not against a metric";
  const MetricDeclaration* other = find_metric(there, share.metric);
  if (other == nullptr) {
    const std::string why = unknown_metric(share.metric, there);
    return share.step.empty() ? why : fmt::format("in step '{}': {}", share.step, why);
  }
  const Unit* unit = find_unit(other->unit);
  if (unit == nullptr) return fmt::format("{} is declared in the unknown unit '{}'", other->name, other->unit);
  if (unit->dimension != own.unit.dimension) {
    return fmt::format("{} is {} ({}), {} is {} ({})", own.metric.name, to_text(own.unit.dimension), own.metric.unit,
                       other->name, to_text(unit->dimension), other->unit);
  }
  if (share.step.empty() && share.metric == limit.metric) {
    return fmt::format("{} is held against itself", limit.metric);
  }
  if (!std::isfinite(share.percent) || share.percent <= 0) {
    return fmt::format("a share must be above 0 %, not {} %", shortest(share.percent));
  }
  if (other->better == "bound" && share.percent > 100 && limit.relation != Relation::at_most) {
    return fmt::format("no device can reach {} % of {}, which is what its hardware cannot exceed",
                       shortest(share.percent), other->name);
  }
  return "";
}

}  // namespace

std::string objection_to(const Limit& limit, std::span<const MetricDeclaration> own, const StepMetrics& metrics_of) {
  const MetricDeclaration* metric = find_metric(own, limit.metric);
  if (metric == nullptr) return unknown_metric(limit.metric, own);
  const Unit* unit = find_unit(metric->unit);
  if (unit == nullptr) return fmt::format("{} is declared in the unknown unit '{}'", metric->name, metric->unit);
  if (limit.relation == Relation::within && !(limit.tolerance > 0 && limit.tolerance <= 100)) {
    return fmt::format("the tolerance of 'within' must be above 0 % and at most 100 %, not {} %",
                       shortest(limit.tolerance));
  }
  const Declared declared{*metric, *unit};
  if (const auto* fixed = std::get_if<FixedBound>(&limit.bound)) {
    return objection_to_fixed(limit, fixed->value, declared);
  }
  const auto& share = std::get<ShareBound>(limit.bound);
  if (share.step.empty()) return objection_to_share(limit, share, declared, own);
  const std::vector<MetricDeclaration>* there = metrics_of ? metrics_of(share.step) : nullptr;
  if (there == nullptr) return fmt::format("no step '{}' comes before this one", share.step);
  return objection_to_share(limit, share, declared, *there);
}

}  // namespace rackproof
