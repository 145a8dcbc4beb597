#include "graphs/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "graphs/evidence.h"
#include "graphs/sentences.h"

namespace rackproof {
namespace {

// A verdict names this many reasons; the journal holds the rest of the evidence.
constexpr std::size_t kMostFindings = 64;

Verdict from_findings(std::vector<Finding> findings, std::string_view when_none, Outcome otherwise) {
  std::ranges::stable_sort(findings, std::greater{}, &Finding::outcome);
  if (findings.size() > kMostFindings) findings.resize(kMostFindings);
  if (findings.empty()) return {otherwise, std::string(when_none), {}, {}};
  return {findings.front().outcome, findings.front().text, std::move(findings), {}};
}

Finding error(std::string text) { return {Outcome::error, std::move(text), "", ""}; }

// What is wrong with the way in which the check spoke, whatever it said.
std::vector<Finding> misbehaviour(const Run& run, const TrialRecord& trial) {
  const Step& step = run.step_of(trial);
  const Ending& ending = *trial.ending;
  std::vector<Finding> findings;
  if (std::string how = describe(ending, step); !how.empty()) findings.push_back(error(std::move(how)));
  if (!ending.garbled.empty() && ending.garbled != ending.why) findings.push_back(error(ending.garbled));

  const auto last = std::ranges::find_if(trial.reports, is_last_word);
  if (last == trial.reports.end()) {
    if (findings.empty()) findings.push_back(error("ended without a last word, so nothing it said is complete"));
  } else if (last + 1 != trial.reports.end()) {
    findings.push_back(error("went on reporting after its last word"));
  } else if (const auto* troubled = std::get_if<Troubled>(&*last)) {
    std::string text = troubled->why;
    if (text.starts_with("out of memory") && step.memory != 0) {
      text += fmt::format(" (the step's limit is {})",
                          to_text(readable({static_cast<double>(step.memory), find_unit("B")})));
    }
    findings.push_back(error(std::move(text)));
  } else if (const auto* skipped = std::get_if<Skipped>(&*last); skipped != nullptr && !step.optional) {
    findings.push_back(error("does not apply here, and the step is not optional: " + skipped->why));
  }
  return findings;
}

std::vector<Finding> faults(const Run& run, const TrialRecord& trial) {
  std::vector<Finding> findings;
  for (const Report& report : trial.reports) {
    const auto* fault = std::get_if<Fault>(&report);
    if (fault == nullptr) continue;
    const std::string part = fault->device.empty() ? "" : name_of_device(run, trial.node, fault->device) + ": ";
    findings.push_back({Outcome::fail, fmt::format("{}{} [{}]", part, fault->text, fault->code), fault->device, ""});
  }
  return findings;
}

}  // namespace

std::optional<Verdict> judge_before_limits(const Run& run, const TrialRecord& trial) {
  std::vector<Finding> findings = faults(run, trial);
  std::ranges::move(misbehaviour(run, trial), std::back_inserter(findings));
  if (!findings.empty()) return from_findings(std::move(findings), "", Outcome::error);
  if (const auto* skipped = std::get_if<Skipped>(&trial.reports.back())) {
    return Verdict{Outcome::skip, skipped->why, {}, {}};
  }
  return std::nullopt;
}

Verdict judge_by(const Run& run, const TrialRecord& trial, std::vector<Finding> findings) {
  const Step& step = run.step_of(trial);
  if (trial.ending->left_behind > 0) {
    findings.push_back({Outcome::warn,
                        fmt::format("left {} process{} behind, which had to be killed", trial.ending->left_behind,
                                    trial.ending->left_behind == 1 ? "" : "es"),
                        "", ""});
  }
  const auto expected = std::ranges::count(step.expectations, false, &Expectation::prefer);
  if (expected == 0) return from_findings(std::move(findings), "nothing was expected", Outcome::info);
  return from_findings(std::move(findings),
                       fmt::format("{} limit{} held", expected, expected == 1 ? "" : "s"), Outcome::pass);
}

Verdict judge(const Run& run, const TrialRecord& trial) {
  if (auto verdict = judge_before_limits(run, trial)) return std::move(*verdict);
  const Evidence evidence(run, trial);
  std::vector<Finding> findings = evidence.malformed();
  for (const Expectation& expectation : run.step_of(trial).expectations) {
    std::ranges::move(evidence.against(expectation), std::back_inserter(findings));
  }
  return judge_by(run, trial, std::move(findings));
}

namespace {

// The trials behind all that is blocked, that were tried and did not pass; each once.
void add_roots(const Run& run, const TrialRecord& trial, std::set<std::size_t>& seen, std::vector<std::size_t>& roots) {
  for (const std::size_t need : trial.needs) {
    const TrialRecord& needed = run.trials[need];
    if (!needed.verdict || lets_others_start(needed.verdict->outcome) || !seen.insert(need).second) continue;
    if (needed.verdict->outcome == Outcome::blocked) {
      add_roots(run, needed, seen, roots);
    } else {
      roots.push_back(need);
    }
  }
}

}  // namespace

Verdict blocked(const Run& run, const TrialRecord& trial) {
  Verdict verdict{Outcome::blocked, "", {}, {}};
  for (const std::size_t need : trial.needs) {
    const TrialRecord& needed = run.trials[need];
    if (!needed.verdict || lets_others_start(needed.verdict->outcome)) continue;
    verdict.blocked_by.push_back(needed.id);
    if (!verdict.reason.empty()) verdict.reason += ", ";
    verdict.reason += fmt::format("{} ({})", run.step_of(needed).id, to_text(needed.verdict->outcome));
  }
  verdict.reason = "not tried: it needs " + verdict.reason;
  // What failed has its own lines. What could not be decided may be the reason why this one could not run either.
  std::set<std::size_t> seen;
  std::vector<std::size_t> roots;
  add_roots(run, trial, seen, roots);
  for (const std::size_t index : roots) {
    const TrialRecord& root = run.trials[index];
    if (root.verdict->outcome != Outcome::error) continue;
    verdict.reason += fmt::format("; {}: {}", run.step_of(root).id, root.verdict->reason);
  }
  return verdict;
}

}  // namespace rackproof
