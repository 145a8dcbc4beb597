#include "graphs/event.h"

#include <array>

#include "checks/api/json_line.h"

namespace rackproof {
namespace {

constexpr std::array<std::string_view, 6> kHow{"exited",  "signalled",  "timed_out",
                                               "stopped", "unkillable", "not_started"};

void add_list(JsonLine& line, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  line.open_array(name);
  for (const std::string& text : texts) line.push(text);
  line.close_array();
}

void add_unless_zero(JsonLine& line, std::string_view name, std::int64_t number) {
  if (number != 0) line.add(name, number);
}

void add(JsonLine& line, const Expectation& expectation) {
  line.open_element();
  line.add(expectation.prefer ? "prefer" : "expect", expectation.limit.text);
  line.add("where", expectation.where);
  line.add_unless_empty("source", expectation.source);
  if (expectation.match) {
    line.open("match");
    line.add("kind", expectation.match->kind);
    line.add("name", expectation.match->name);
    line.close();
  }
  line.close();
}

struct Encoder {
  JsonLine line;

  void operator()(const RunStarted& run) {
    line.add("format", kJournalFormat);
    line.add("run", run.run);
    line.add("recipe", run.recipe);
    line.add_unless_empty("summary", run.summary);
    line.add("file", run.file);
    line.add("version", run.version);
    add_list(line, "layers", run.layers);
    line.open("facts");
    for (const auto& [name, value] : run.facts) {
      std::visit([&, &key = name](const auto& v) { line.add(key, v); }, value);
    }
    line.close();
  }

  void operator()(const StepPlanned& planned) {
    const Step& step = planned.step;
    line.add("step", step.id);
    line.add("check", step.check);
    line.add("layer", step.layer);
    line.add_unless_empty("summary", step.summary);
    if (!step.with.empty()) {
      line.open("with");
      for (const auto& [name, value] : step.with) line.add(name, value);
      line.close();
    }
    line.open_array("limits");
    for (const Expectation& expectation : step.expectations) add(line, expectation);
    line.close_array();
    line.open_array("metrics");
    for (const MetricDeclaration& metric : step.metrics) {
      line.open_element();
      line.add("name", metric.name);
      line.add("unit", metric.unit);
      line.add("better", metric.better);
      line.close();
    }
    line.close_array();
    line.add("optional", step.optional);
    if (step.span) {
      line.open("span");
      line.add("on", to_text(*step.span));
      line.add("rounds", step.span->rounds);
      line.add("within", to_text(step.span->within));
      line.close();
    }
    add_list(line, "needs", step.needs);
    add_list(line, "claims", step.claims);
    add_list(line, "watch", step.watch);
    line.add("timeout_ms", step.timeout.count());
    line.add("grace_ms", step.grace.count());
    if (step.memory != 0) line.add("memory_bytes", step.memory);
  }

  void operator()(const TrialPlanned& planned) {
    line.add("trial", planned.trial);
    line.add("step", planned.step);
    add_list(line, "needs", planned.needs);
  }

  void operator()(const TrialStarted& started) { line.add("trial", started.trial); }

  void operator()(const Reported& reported) {
    line.add("trial", reported.trial);
    line.add_unless_empty("watch", reported.watch);
    line.add_raw("says", encode(reported.report));
  }

  void operator()(const TrialEnded& ended) {
    const Ending& ending = ended.ending;
    line.add("trial", ended.trial);
    line.add("how", to_text(ending.how));
    line.add("code", ending.code);
    line.add("duration_us", ending.duration_us);
    line.add("cpu_us", ending.cpu_us);
    line.add("memory_bytes", ending.memory_bytes);
    add_unless_zero(line, "left_behind", ending.left_behind);
    line.add_unless_empty("why", ending.why);
    line.add_unless_empty("last_error", ending.last_error);
    line.add_unless_empty("garbled", ending.garbled);
  }

  void operator()(const TrialJudged& judged) {
    const Verdict& verdict = judged.verdict;
    line.add("trial", judged.trial);
    line.add("outcome", to_text(verdict.outcome));
    line.add("reason", verdict.reason);
    if (!verdict.findings.empty()) {
      line.open_array("findings");
      for (const Finding& finding : verdict.findings) {
        line.open_element();
        line.add("outcome", to_text(finding.outcome));
        line.add("text", finding.text);
        line.add_unless_empty("device", finding.device);
        line.add_unless_empty("metric", finding.metric);
        line.close();
      }
      line.close_array();
    }
    add_list(line, "blocked_by", verdict.blocked_by);
  }

  void operator()(const RunResumed&) {}

  void operator()(const RunEnded& ended) {
    line.add("outcome", to_text(ended.outcome));
    line.add_unless_empty("interrupted", ended.interrupted);
  }
};

struct Namer {
  std::string_view operator()(const RunStarted&) const { return "run_started"; }
  std::string_view operator()(const StepPlanned&) const { return "step_planned"; }
  std::string_view operator()(const TrialPlanned&) const { return "trial_planned"; }
  std::string_view operator()(const TrialStarted&) const { return "trial_started"; }
  std::string_view operator()(const Reported&) const { return "reported"; }
  std::string_view operator()(const TrialEnded&) const { return "trial_ended"; }
  std::string_view operator()(const TrialJudged&) const { return "trial_judged"; }
  std::string_view operator()(const RunResumed&) const { return "run_resumed"; }
  std::string_view operator()(const RunEnded&) const { return "run_ended"; }
};

}  // namespace

std::string_view to_text(Ending::How how) { return kHow[static_cast<std::size_t>(how)]; }

std::string encode(const Event& event) {
  Encoder encoder;
  encoder.line.add("event", std::visit(Namer{}, event.body));
  encoder.line.add("at_us", event.at_us);
  encoder.line.add("node", event.node);
  std::visit(encoder, event.body);
  return std::move(encoder.line).text();
}

}  // namespace rackproof
