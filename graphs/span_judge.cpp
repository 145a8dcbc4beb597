#include "graphs/span_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "graphs/bisection.h"
#include "graphs/evidence.h"
#include "graphs/fleet_second_pass.h"
#include "graphs/judge.h"
#include "graphs/span_blame.h"
#include "graphs/span_evidence.h"
#include "graphs/span_gaps.h"

namespace rackproof {
namespace {

bool is_pairwise(const Span& span) { return span.of == Span::Of::pairs || span.of == Span::Of::rings; }

// The rate that the fleet is compared by: the one whose shortfall is bounded, or else the first with a limit of its own.
const Expectation* compared_by(const Step& step) {
  const auto shortfall = std::ranges::find_if(
      step.expectations, [](const Expectation& each) { return each.limit.subject == Subject::shortfall; });
  if (shortfall != step.expectations.end()) return &*shortfall;
  const auto rate = std::ranges::find_if(step.expectations, [&](const Expectation& each) {
    return each.limit.subject == Subject::each && is_compared(step, each.limit.metric);
  });
  return rate == step.expectations.end() ? nullptr : &*rate;
}

Finding missed(const Expectation& expectation, std::string text, std::string device) {
  const std::string where =
      expectation.source.empty() ? expectation.where : fmt::format("{}: {}", expectation.where, expectation.source);
  return {expectation.prefer ? Outcome::warn : Outcome::fail, fmt::format("{} ({})", text, where), std::move(device),
          expectation.limit.metric};
}

class SpanJudge {
 public:
  SpanJudge(const Run& run, std::size_t step)
      : run_(run), step_(run.steps[step]), evidence_(span_evidence(run, step)), blame_(run, evidence_) {}

  std::vector<std::pair<std::size_t, Verdict>> verdicts() {
    for (const Expectation& expectation : step_.expectations) {
      if (expectation.limit.subject == Subject::shortfall) {
        judge_shortfall(expectation);
      } else {
        judge_each(expectation);
      }
    }
    blame_.settle();
    std::vector<std::pair<std::size_t, Verdict>> verdicts;
    for (const std::size_t trial : evidence_.trials) verdicts.emplace_back(trial, verdict(trial));
    if (evidence_.fabric < run_.trials.size() && run_.trials[evidence_.fabric].ending) {
      verdicts.emplace_back(evidence_.fabric, skip_of_all().value_or(verdict(evidence_.fabric)));
    }
    std::ranges::sort(verdicts, {}, &std::pair<std::size_t, Verdict>::first);
    return verdicts;
  }

 private:
  Verdict verdict(std::size_t trial) {
    const TrialRecord& record = run_.trials[trial];
    if (trial != evidence_.fabric) {
      if (auto before = judge_before_limits(run_, record)) return std::move(*before);
      const Evidence own(run_, record);
      std::ranges::copy(own.malformed(), std::back_inserter(blame_.charged(trial)));
    }
    return judge_by(run_, record, std::move(blame_.charged(trial)));
  }

  // What applies on no node applies between them neither.
  std::optional<Verdict> skip_of_all() const {
    std::optional<Verdict> skip;
    for (const std::size_t trial : evidence_.trials) {
      const auto before = judge_before_limits(run_, run_.trials[trial]);
      if (!before || before->outcome != Outcome::skip) return std::nullopt;
      if (!skip) skip = Verdict{Outcome::skip, "skipped on every node: " + before->reason, {}, {}};
    }
    return skip;
  }

  void judge_shortfall(const Expectation& expectation) {
    const FleetVerdict fleet = compare_fleet(run_, step_, evidence_, expectation);
    for (const Suspicion& suspicion : fleet.suspicions) {
      blame_.charge(suspicion, missed(expectation, suspicion.sentence, ""));
    }
    const auto lacks = [&](std::string text) {
      Finding finding = missed(expectation, std::move(text), "");
      finding.outcome = Outcome::error;
      return finding;
    };
    for (SpanGap& gap : span_gaps(evidence_, expectation.limit.metric)) {
      blame_.charge(evidence_.trials[gap.node], lacks(std::move(gap.lacks)));
    }
    if (fleet.values == 0) {
      blame_.charge(evidence_.fabric, lacks(fmt::format("no evidence for {}", expectation.limit.metric)));
    }
  }

  // Each trial's own findings; those on a path or a group are laid to whom they belong to.
  void judge_each(const Expectation& expectation) {
    std::vector<Miss> misses;
    for (const std::size_t trial : evidence_.trials) {
      const TrialRecord& record = run_.trials[trial];
      if (judge_before_limits(run_, record) || is_told_by_another(trial, expectation.limit.metric)) continue;
      const TrialRecord part = evidence_of(record);
      for (Finding& finding : Evidence(run_, part).against(expectation)) {
        Miss miss{trial, std::move(finding)};
        if (blame_.is_shared(miss)) {
          misses.push_back(std::move(miss));
        } else {
          blame_.charge(trial, std::move(miss.finding));
        }
      }
    }
    const FleetVerdict fleet = is_pairwise(*step_.span) && is_compared(step_, expectation.limit.metric)
                                   ? compare_fleet(run_, step_, evidence_, expectation)
                                   : FleetVerdict{};
    blame_.lay(std::move(misses), fleet.suspicions);
  }

  // A group's first member speaks for the others of what it measured on the group; of what they measured themselves they
  // speak for themselves.
  bool is_told_by_another(std::size_t trial, const std::string& metric) const {
    if (measures(run_.trials[trial], metric)) return false;
    const std::size_t node = evidence_.find(run_.trials[trial].node);
    return std::ranges::any_of(evidence_.groups, [&](const SpanGroup& group) {
      return std::ranges::count(group.members, node) > 0 && measures(run_.trials[group.trial], metric, group.device);
    });
  }

  // The trial without what it measured with nodes that ended badly: that is their story, and told there.
  TrialRecord evidence_of(const TrialRecord& record) const {
    TrialRecord part = record;
    std::erase_if(part.reports, [&](const Report& report) {
      const auto* measurement = std::get_if<Measurement>(&report);
      return measurement != nullptr && evidence_.cut_off.contains(measurement->device);
    });
    return part;
  }

  const Run& run_;
  const Step& step_;
  const SpanEvidence evidence_;
  SpanBlame blame_;
};

bool has_second_pass(const SpanEvidence& evidence) {
  return std::ranges::any_of(evidence.paths, &PathReading::confirms);
}

std::vector<std::size_t> as_trials(const SpanEvidence& evidence, const std::vector<std::size_t>& nodes) {
  std::vector<std::size_t> trials;
  for (const std::size_t node : nodes) trials.push_back(evidence.trials[node]);
  return trials;
}

TrialRounds second_pass(const Run& run, const Step& step, const SpanEvidence& evidence) {
  TrialRounds rounds;
  const Expectation* expectation = compared_by(step);
  if (expectation == nullptr || has_second_pass(evidence)) return rounds;
  const FleetFinding first = first_pass(run, step, evidence, *expectation);
  for (const auto& pairs : confirmation_pairs(first, evidence.nodes)) {
    auto& round = rounds.emplace_back();
    for (const auto& pair : pairs) {
      const bool is_possible = std::ranges::none_of(pair, [&](std::size_t n) { return bool{evidence.ended_badly[n]}; });
      if (is_possible) round.push_back(as_trials(evidence, pair));
    }
  }
  return rounds;
}

// Whether the group fell short, in whatever its first member says of it; where it says nothing the group failed too.
bool failed(const Run& run, const Step& step, const SpanGroup& group) {
  if (!measures(run.trials[group.trial], "", group.device)) return true;
  const Evidence evidence(run, run.trials[group.trial]);
  return std::ranges::any_of(step.expectations, [&](const Expectation& expectation) {
    if (expectation.limit.subject != Subject::each || expectation.prefer) return false;
    const auto findings = evidence.against(expectation);
    return std::ranges::any_of(findings, [&](const Finding& finding) { return finding.device == group.device; });
  });
}

bool is_same(std::vector<std::size_t> a, std::vector<std::size_t> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

// The search as the journal tells it: what was asked in each further round, and what came of it.
TrialRounds halves(const Run& run, const Step& step, const SpanEvidence& evidence) {
  const auto rounds = static_cast<std::int64_t>(step.span->rounds);
  std::vector<Bisection::Group> bad;
  std::vector<Bisection::Group> good;
  std::set<std::size_t> taken;
  for (const SpanGroup& group : evidence.groups) {
    if (group.round >= rounds || std::ranges::count(group.members, evidence.nodes.size()) > 0) continue;
    const bool is_cut_off = std::ranges::any_of(group.members, [&](std::size_t node) { return bool{evidence.ended_badly[node]}; });
    if (is_cut_off && !measures(run.trials[group.trial], "", group.device)) continue;
    if (!failed(run, step, group)) {
      good.push_back(group.members);
    } else if (std::ranges::none_of(group.members, [&](std::size_t node) { return taken.contains(node); })) {
      taken.insert(group.members.begin(), group.members.end());
      bad.push_back(group.members);
    }
  }
  Bisection search(bad, good);
  for (std::int64_t round = rounds; !search.next().empty(); ++round) {
    std::vector<bool> passed;
    for (const Bisection::Group& asked : search.next()) {
      const auto told = std::ranges::find_if(evidence.groups, [&](const SpanGroup& group) {
        return group.round == round && is_same(group.members, asked);
      });
      if (told == evidence.groups.end()) break;
      passed.push_back(!failed(run, step, *told));
    }
    if (passed.size() != search.next().size()) {
      // A first member that died before it could speak will not speak the second time either.
      const bool was_asked = std::ranges::any_of(
          evidence.groups, [&](const SpanGroup& group) { return group.round >= round; });
      if (was_asked) return {};
      TrialRounds open(1);
      for (const Bisection::Group& asked : search.next()) open.front().push_back(as_trials(evidence, asked));
      return open;
    }
    search.took(passed);
  }
  return {};
}

}  // namespace

std::vector<std::pair<std::size_t, Verdict>> judge_span(const Run& run, std::size_t step) {
  return SpanJudge(run, step).verdicts();
}

TrialRounds open_questions(const Run& run, std::size_t step, const std::vector<std::size_t>& ended_badly) {
  const Step& asked = run.steps[step];
  const SpanEvidence evidence = span_evidence(run, step, ended_badly);
  TrialRounds open = is_pairwise(*asked.span) ? second_pass(run, asked, evidence) : halves(run, asked, evidence);
  std::erase_if(open, [](const auto& round) { return round.empty(); });
  return open;
}

}  // namespace rackproof
