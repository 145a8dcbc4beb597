#include "graphs/span_evidence.h"

#include <algorithm>
#include <cmath>

#include "checks/api/units.h"

namespace rackproof {
namespace {

constexpr std::string_view kReached = "reached";

std::string text_fact(const Device& device, std::string_view name) {
  const auto found = std::ranges::find_if(device.facts, [&](const auto& fact) { return fact.first == name; });
  if (found == device.facts.end()) return "";
  const auto* text = std::get_if<std::string>(&found->second);
  return text == nullptr ? "" : *text;
}

std::int64_t integer_fact(const Device& device, std::string_view name) {
  const auto found = std::ranges::find_if(device.facts, [&](const auto& fact) { return fact.first == name; });
  if (found == device.facts.end()) return 0;
  const auto* number = std::get_if<std::int64_t>(&found->second);
  return number == nullptr ? 0 : *number;
}

bool ended_well(const TrialRecord& trial) {
  return trial.ending && trial.ending->how == Ending::How::exited && trial.ending->code == 0 &&
         std::ranges::any_of(trial.reports, [](const Report& report) { return std::holds_alternative<Done>(report); });
}

// However much figures scatter, a node at a fraction of the others has to show: no more than this is put down to scatter.
constexpr double kMostSpread = 0.08;

// The relative standard deviation of a median, from its 95 % interval; 0 where nothing is known of it.
double spread_of(const Measurement& measurement) {
  if (!measurement.samples || measurement.value <= 0) return 0;
  const Samples& samples = *measurement.samples;
  if (samples.n < 6) return 0;
  return std::min(kMostSpread, (samples.high - samples.low) / measurement.value / (2 * 1.96));
}

// What the check last said of each path and group: a later round may measure the same again.
class Reader {
 public:
  Reader(const Run& run, SpanEvidence& evidence) : run_(run), evidence_(evidence) {}

  void read(std::size_t trial) {
    current_.clear();
    const Step& step = run_.step_of(run_.trials[trial]);
    for (const Report& report : run_.trials[trial].reports) {
      if (const auto* device = std::get_if<Device>(&report)) {
        if (device->kind == kPathKind) add_path(*device, trial, *step.span);
        if (device->kind == kGroupKind) add_group(*device, trial);
      } else if (const auto* measurement = std::get_if<Measurement>(&report)) {
        const auto path = current_.find(measurement->device);
        if (path == current_.end()) continue;
        evidence_.paths.push_back(path->second);
        evidence_.paths.back().measurement = measurement;
      }
    }
  }

 private:
  void add_path(const Device& device, std::size_t trial, const Span& span) {
    const std::size_t from = evidence_.find(text_fact(device, "from"));
    const std::size_t to = evidence_.find(text_fact(device, "to"));
    current_.erase(device.id);
    if (std::max(from, to) >= evidence_.nodes.size()) return;
    if (evidence_.ended_badly[from] || evidence_.ended_badly[to]) {
      evidence_.cut_off.insert(device.id);
      return;
    }
    current_[device.id] = {nullptr, trial, from, to, text_fact(device, "rail"),
                           integer_fact(device, "round") >= span.rounds};
  }

  void add_group(const Device& device, std::size_t trial) {
    SpanGroup group{trial, device.id, {}, integer_fact(device, "round")};
    const std::string members = text_fact(device, "members");
    for (std::string_view rest = members; !rest.empty();) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      group.members.push_back(evidence_.find(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    evidence_.groups.push_back(std::move(group));
  }

  const Run& run_;
  SpanEvidence& evidence_;
  std::map<std::string, PathReading, std::less<>> current_;
};

}  // namespace

std::size_t SpanEvidence::find(std::string_view node) const {
  const auto found = index_.find(node);
  return found == index_.end() ? nodes.size() : found->second;
}

SpanEvidence span_evidence(const Run& run, std::size_t step, const std::vector<std::size_t>& ended_badly) {
  SpanEvidence evidence;
  evidence.fabric = run.trials.size();
  for (std::size_t i = 0; i < run.trials.size(); ++i) {
    const TrialRecord& trial = run.trials[i];
    if (trial.step != step) continue;
    if (trial.node == kFabric) {
      evidence.fabric = i;
    } else if (trial.started) {
      const KnownDevice* leaf = run.find_device(trial.node, "leaf");
      evidence.index_.emplace(trial.node, evidence.nodes.size());
      evidence.nodes.push_back({trial.node, leaf == nullptr ? "" : leaf->name, {}});
      evidence.trials.push_back(i);
      evidence.ended_badly.push_back(trial.ending ? !ended_well(trial) : std::ranges::count(ended_badly, i) > 0);
    }
  }
  Reader reader(run, evidence);
  for (const std::size_t trial : evidence.trials) reader.read(trial);
  return evidence;
}

bool measures(const TrialRecord& trial, std::string_view metric, std::string_view device) {
  return std::ranges::any_of(trial.reports, [&](const Report& report) {
    const auto* measurement = std::get_if<Measurement>(&report);
    return measurement != nullptr && (metric.empty() || measurement->metric == metric) &&
           (device.empty() || measurement->device == device);
  });
}

std::vector<PathValue> path_values(const SpanEvidence& evidence, std::string_view metric, bool confirming) {
  std::vector<PathValue> values;
  for (const PathReading& reading : evidence.paths) {
    const Measurement& measurement = *reading.measurement;
    if (reading.confirms != confirming) continue;
    PathValue value{.from = reading.from, .to = reading.to, .rail = reading.rail};
    if (measurement.metric == kReached) {
      if (measurement.value != 0) continue;
      value.reached = false;
    } else if (measurement.metric == metric && std::isfinite(measurement.value)) {
      const Unit* unit = find_unit(measurement.unit);
      value.value = measurement.value * (unit == nullptr ? 1 : unit->factor);
      value.spread = spread_of(measurement);
    } else {
      continue;
    }
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace rackproof
