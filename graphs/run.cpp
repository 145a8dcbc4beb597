#include "graphs/run.h"

#include <fmt/format.h>

#include <algorithm>

namespace rackproof {

struct Run::Applier {
  Run& run;
  const Event& event;

  std::string operator()(const RunStarted& started) {
    if (!run.about.run.empty()) return "a second run begins in the same journal";
    run.about = started;
    run.node = event.node;
    run.started_us = event.at_us;
    return "";
  }

  std::string operator()(const StepPlanned& planned) {
    for (const std::string& need : planned.step.needs) {
      if (!run.step_index_.contains(need)) return fmt::format("a need of the unknown step '{}'", need);
    }
    if (!run.step_index_.emplace(planned.step.id, run.steps.size()).second) {
      return fmt::format("the step '{}' is planned twice", planned.step.id);
    }
    run.steps.push_back(planned.step);
    return "";
  }

  std::string operator()(const TrialPlanned& planned) {
    TrialRecord trial;
    trial.id = planned.trial;
    trial.node = event.node;
    const auto step = run.step_index_.find(planned.step);
    if (step == run.step_index_.end()) return fmt::format("a trial of the unknown step '{}'", planned.step);
    trial.step = step->second;
    for (const std::string& need : planned.needs) {
      const auto found = run.trial_index_.find(need);
      if (found == run.trial_index_.end()) return fmt::format("a need of the unknown trial '{}'", need);
      trial.needs.push_back(found->second);
    }
    if (!run.trial_index_.emplace(planned.trial, run.trials.size()).second) {
      return fmt::format("the trial '{}' is planned twice", planned.trial);
    }
    run.trials.push_back(std::move(trial));
    return "";
  }

  template <class Change>
  std::string with_trial(const std::string& id, Change change) {
    const auto found = run.trial_index_.find(id);
    if (found == run.trial_index_.end()) return fmt::format("the trial '{}' was never planned", id);
    change(run.trials[found->second]);
    return "";
  }

  std::string operator()(const TrialStarted& started) {
    return with_trial(started.trial, [&](TrialRecord& trial) {
      // A resumed run starts again what it found open: the evidence of the attempt that was cut off does not count.
      trial.started = true;
      trial.started_us = event.at_us;
      trial.reports.clear();
      trial.watched.clear();
      trial.ending.reset();
      trial.verdict.reset();
    });
  }
  std::string operator()(const Reported& reported) {
    return with_trial(reported.trial, [&](TrialRecord& trial) {
      if (const auto* device = std::get_if<Device>(&reported.report)) {
        KnownDevice& known = run.devices_[trial.node][device->id];
        known.kind = device->kind;
        if (!device->name.empty()) known.name = device->name;
      }
      if (reported.watch.empty()) {
        trial.reports.push_back(reported.report);
      } else {
        trial.watched.push_back({reported.watch, reported.report});
      }
    });
  }
  std::string operator()(const TrialEnded& ended) {
    return with_trial(ended.trial, [&](TrialRecord& trial) { trial.ending = ended.ending; });
  }
  std::string operator()(const TrialJudged& judged) {
    return with_trial(judged.trial, [&](TrialRecord& trial) { trial.verdict = judged.verdict; });
  }
  std::string operator()(const RunResumed&) {
    ++run.resumed;
    // What only the interruption ended will be tried again.
    for (TrialRecord& trial : run.trials) {
      const bool cut_off = run.ended && !run.ended->interrupted.empty() && trial.ending &&
                           trial.ending->how == Ending::How::stopped && trial.ending->why == run.ended->interrupted;
      if (!cut_off) continue;
      trial.started = false;
      trial.ending.reset();
      trial.verdict.reset();
      trial.reports.clear();
      trial.watched.clear();
    }
    run.ended.reset();
    return "";
  }
  std::string operator()(const RunEnded& ended) {
    run.ended = ended;
    return "";
  }
};

std::string TrialRecord::simulated() const {
  for (const Report& report : reports) {
    if (const auto* simulated = std::get_if<Simulated>(&report)) return simulated->by;
  }
  for (const WatchedReport& each : watched) {
    if (const auto* simulated = std::get_if<Simulated>(&each.report)) return simulated->by;
  }
  return "";
}

std::string Run::apply(const Event& event) {
  if (about.run.empty() && !std::holds_alternative<RunStarted>(event.body)) return "the journal does not begin with its run";
  std::string objection = std::visit(Applier{*this, event}, event.body);
  if (objection.empty()) last_us = std::max(last_us, event.at_us);
  return objection;
}

const TrialRecord* Run::find_trial(std::string_view id) const {
  const auto found = trial_index_.find(std::string(id));
  return found == trial_index_.end() ? nullptr : &trials[found->second];
}

std::optional<std::size_t> Run::find_step(std::string_view id) const {
  const auto found = step_index_.find(std::string(id));
  if (found == step_index_.end()) return std::nullopt;
  return found->second;
}

const KnownDevice* Run::find_device(std::string_view on_node, std::string_view id) const {
  const auto devices = devices_.find(on_node);
  if (devices == devices_.end()) return nullptr;
  const auto found = devices->second.find(id);
  return found == devices->second.end() ? nullptr : &found->second;
}

bool Run::has_seen(std::string_view on_node, const Match& match) const {
  const auto devices = devices_.find(on_node);
  if (devices == devices_.end()) return false;
  return std::ranges::any_of(devices->second, [&](const auto& entry) {
    return entry.second.kind == match.kind && matches_glob(match.name, entry.second.name);
  });
}

void Run::forget_reports(std::size_t trial, const std::vector<std::string>& keep_metrics) {
  std::vector<Report> kept;
  for (Report& report : trials[trial].reports) {
    const auto* measurement = std::get_if<Measurement>(&report);
    const bool wanted = measurement != nullptr && std::ranges::count(keep_metrics, measurement->metric) > 0;
    if (wanted || std::holds_alternative<Simulated>(report)) kept.push_back(std::move(report));
  }
  trials[trial].reports = std::move(kept);
  std::erase_if(trials[trial].watched,
                [](const WatchedReport& each) { return !std::holds_alternative<Simulated>(each.report); });
  trials[trial].watched.shrink_to_fit();
}

Outcome Run::outcome() const {
  Outcome greatest = Outcome::skip;
  for (const TrialRecord& trial : trials) {
    if (trial.verdict) greatest = std::max(greatest, trial.verdict->outcome);
  }
  return greatest;
}

bool Run::simulated() const {
  return std::ranges::any_of(trials, [](const TrialRecord& trial) { return !trial.simulated().empty(); });
}

}  // namespace rackproof
