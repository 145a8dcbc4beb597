#include "graphs/evidence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "checks/api/sampler.h"
#include "graphs/sentences.h"

namespace rackproof {
namespace {

// Readings pass through a conversion or two on their way here; more than that is a real difference.
constexpr double kRounding = 1e-9;

bool holds(const Limit& limit, double value, double bound) {
  const double slack = kRounding * std::max(std::abs(value), std::abs(bound));
  switch (limit.relation) {
    case Relation::at_least: return value >= bound - slack;
    case Relation::at_most: return value <= bound + slack;
    case Relation::equal: return std::abs(value - bound) <= slack;
    case Relation::within: return std::abs(value - bound) <= limit.tolerance / 100 * std::abs(bound) + slack;
  }
  return false;
}

// By how much the limit is missed, as a share of the bound: what is worst is said first.
double distance(double value, double bound) {
  return std::abs(value - bound) / std::max(std::abs(bound), std::numeric_limits<double>::min());
}

// NaN for what is in no known unit: it may come from another step.
double base_value(const Measurement& measurement) {
  const Unit* unit = find_unit(measurement.unit);
  return unit == nullptr ? std::numeric_limits<double>::quiet_NaN() : measurement.value * unit->factor;
}

std::string value_text(const Measurement& measurement) {
  const Unit* unit = find_unit(measurement.unit);
  if (unit == nullptr) return fmt::format("{} {}", measurement.value, measurement.unit);
  std::string text = to_text(Quantity{measurement.value, unit});
  if (const auto& samples = measurement.samples; samples && samples->n >= 6) {
    text += fmt::format(" [{} .. {}]", to_text(Quantity{samples->low, find_unit("count")}),
                        to_text(Quantity{samples->high, find_unit("count")}));
  }
  return text;
}

bool is_steady(const Measurement& measurement) { return !measurement.samples || measurement.samples->steady; }

const MetricDeclaration* declared(const Step& step, std::string_view metric) {
  const auto found = std::ranges::find(step.metrics, metric, &MetricDeclaration::name);
  return found == step.metrics.end() ? nullptr : &*found;
}

}  // namespace

Evidence::Evidence(const Run& run, const TrialRecord& trial) : run_(run), trial_(trial), step_(run.step_of(trial)) {
  for (const Report& report : trial.reports) {
    if (const auto* measurement = std::get_if<Measurement>(&report)) take(*measurement);
  }
  for (const WatchedReport& watched : trial.watched) {
    if (const auto* measurement = std::get_if<Measurement>(&watched.report)) take(*measurement);
  }
}

std::string Evidence::where(const Expectation& expectation) const {
  if (expectation.source.empty()) return expectation.where;
  return fmt::format("{}: {}", expectation.where, expectation.source);
}

Finding Evidence::finding(Outcome outcome, const Expectation& expectation, std::string_view device,
                          std::string text) const {
  const std::string part = device.empty() ? "" : name_of_device(run_, trial_.node, device) + ": ";
  return {outcome, fmt::format("{}{} ({})", part, text, where(expectation)), std::string(device),
          expectation.limit.metric};
}

void Evidence::take(const Measurement& measurement) {
  const MetricDeclaration* metric = declared(step_, measurement.metric);
  const Unit* unit = find_unit(measurement.unit);
  const Unit* expected = metric == nullptr ? nullptr : find_unit(metric->unit);
  std::string objection;
  if (metric == nullptr) {
    objection = fmt::format("measured '{}', which the check does not declare", measurement.metric);
  } else if (unit == nullptr) {
    objection = fmt::format("{} came in the unknown unit '{}'", measurement.metric, measurement.unit);
  } else if (expected == nullptr || unit->dimension != expected->dimension) {
    objection = fmt::format("{} came in '{}', which does not convert to the '{}' that the check declares",
                            measurement.metric, measurement.unit, metric->unit);
  } else if (std::isnan(measurement.value)) {
    objection = fmt::format("{} is not a number{}{}", measurement.metric, measurement.device.empty() ? "" : " on ",
                            measurement.device);
  } else {
    all_.push_back(&measurement);
    return;
  }
  malformed_.push_back({Outcome::error, std::move(objection), measurement.device, measurement.metric});
}

std::vector<const Measurement*> Evidence::measured(const Limit& limit) const {
  std::vector<const Measurement*> chosen;
  for (const Measurement* measurement : all_) {
    if (measurement->metric == limit.metric && matches_glob(limit.devices, measurement->device)) {
      chosen.push_back(measurement);
    }
  }
  return chosen;
}

const Measurement* Evidence::reference(const ShareBound& share, const Measurement& measurement) const {
  if (share.step.empty()) {
    const auto same = std::ranges::find_if(all_, [&](const Measurement* other) {
      return other->metric == share.metric && other->device == measurement.device;
    });
    return same == all_.end() ? nullptr : *same;
  }
  const auto step = run_.find_step(share.step);
  if (!step) return nullptr;
  const Measurement* only = nullptr;
  std::size_t found = 0;
  for (const TrialRecord& trial : run_.trials) {
    if (trial.step != *step || trial.node != trial_.node) continue;
    for (const Report& report : trial.reports) {
      const auto* other = std::get_if<Measurement>(&report);
      if (other == nullptr || other->metric != share.metric) continue;
      if (other->device == measurement.device) return other;
      only = other;
      ++found;
    }
  }
  // A figure of the whole node stands for each of its devices, and so does the only one that was taken.
  return found == 1 ? only : nullptr;
}

double Evidence::bound(const Limit& limit, const Measurement& measurement, std::string& why) const {
  if (const auto* fixed = std::get_if<FixedBound>(&limit.bound)) return fixed->value.base();
  const auto& share = std::get<ShareBound>(limit.bound);
  const std::string name = share.step.empty() ? share.metric : share.step + "." + share.metric;
  const Measurement* other = reference(share, measurement);
  if (other == nullptr || std::isnan(base_value(*other))) {
    why = fmt::format("no evidence for {}, which {} is held against", name, limit.metric);
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (!is_steady(*other)) {
    why = fmt::format("{}, which {} is held against, never became steady", name, limit.metric);
    return std::numeric_limits<double>::quiet_NaN();
  }
  return share.percent / 100 * base_value(*other);
}

std::vector<Finding> Evidence::against(const Expectation& expectation) const {
  if (expectation.match && !run_.has_seen(trial_.node, *expectation.match)) {
    return {finding(Outcome::error, expectation, "",
                    fmt::format("the limit on {} is for a {} named '{}', and none was seen on this node",
                                expectation.limit.metric, expectation.match->kind, expectation.match->name))};
  }
  if (expectation.limit.subject == Subject::shortfall) {
    return {finding(Outcome::error, expectation, "", "nodes are compared with others only in a step that spans nodes")};
  }
  return expectation.limit.subject == Subject::each ? each(expectation) : over_devices(expectation);
}

std::vector<Finding> Evidence::each(const Expectation& expectation) const {
  const Limit& limit = expectation.limit;
  const Outcome missed = expectation.prefer ? Outcome::warn : Outcome::fail;
  const auto chosen = measured(limit);
  if (chosen.empty()) {
    const std::string on = limit.devices == "*" ? "" : fmt::format(" on {}", limit.devices);
    return {finding(Outcome::error, expectation, "", fmt::format("no evidence for {}{}", limit.metric, on))};
  }
  std::vector<std::pair<double, Finding>> found;
  for (const Measurement* measurement : chosen) {
    const double value = base_value(*measurement);
    std::string why;
    const double against = bound(limit, *measurement, why);
    if (std::isnan(against)) {
      found.emplace_back(0, finding(Outcome::error, expectation, measurement->device, why));
      continue;
    }
    if (!is_steady(*measurement)) {
      found.emplace_back(0, finding(expectation.prefer ? Outcome::warn : Outcome::error, expectation,
                                    measurement->device,
                                    fmt::format("{} never became steady, so {} proves nothing of {}", limit.metric,
                                                value_text(*measurement), relation_of(limit))));
      continue;
    }
    if (holds(limit, value, against)) continue;
    std::string expected = relation_of(limit);
    if (std::holds_alternative<ShareBound>(limit.bound)) {
      const Unit* unit = find_unit(measurement->unit);
      expected += fmt::format(" = {}", to_text(Quantity{against / unit->factor, unit}));
    }
    found.emplace_back(distance(value, against),
                       finding(missed, expectation, measurement->device,
                               fmt::format("{} is {}, expected {}", limit.metric, value_text(*measurement), expected)));
  }
  std::ranges::stable_sort(found, std::greater{}, &std::pair<double, Finding>::first);
  std::vector<Finding> findings;
  for (auto& [far, one] : found) findings.push_back(std::move(one));
  return findings;
}

std::vector<Finding> Evidence::over_devices(const Expectation& expectation) const {
  const Limit& limit = expectation.limit;
  const Outcome missed = expectation.prefer ? Outcome::warn : Outcome::fail;
  const double against = std::get<FixedBound>(limit.bound).value.base();
  const auto chosen = measured(limit);
  if (limit.subject == Subject::count) {
    std::set<std::string_view> devices;
    for (const Measurement* measurement : chosen) devices.insert(measurement->device);
    const auto count = static_cast<double>(devices.size());
    if (holds(limit, count, against)) return {};
    return {finding(missed, expectation, "",
                    fmt::format("{} was measured on {} device{}, expected {}", limit.metric, devices.size(),
                                devices.size() == 1 ? "" : "s", relation_of(limit)))};
  }

  if (chosen.empty()) return {finding(Outcome::error, expectation, "", fmt::format("no evidence for {}", limit.metric))};
  std::vector<double> values;
  const Measurement* lowest = chosen.front();
  for (const Measurement* measurement : chosen) {
    if (!is_steady(*measurement)) {
      return {finding(expectation.prefer ? Outcome::warn : Outcome::error, expectation, measurement->device,
                      fmt::format("{} never became steady, so it has no spread", limit.metric))};
    }
    values.push_back(base_value(*measurement));
    if (values.back() < base_value(*lowest)) lowest = measurement;
  }
  const auto [least, most] = std::ranges::minmax(values);
  const double spread = most == least ? 0 : (most - least) / std::abs(median(values));
  if (holds(limit, spread, against)) return {};
  return {finding(missed, expectation, lowest->device,
                  fmt::format("{} differs by {:.3g} % over {} devices, the lowest here with {}, expected {}",
                              limit.metric, spread * 100, values.size(), value_text(*lowest), relation_of(limit)))};
}

}  // namespace rackproof
