// Builds runs event by event, so that a test says only what it is about.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graphs/judge.h"
#include "graphs/run.h"

namespace rackproof::test {

inline Limit limit(const std::string& sentence) {
  LimitError error;
  auto parsed = parse_limit(sentence, error);
  if (!parsed) throw std::invalid_argument(sentence + ": " + error.text);
  return *parsed;
}

inline Expectation expect(const std::string& sentence) {
  Expectation expectation;
  expectation.limit = limit(sentence);
  expectation.where = "test.yaml:1:1";
  return expectation;
}

inline Expectation prefer(const std::string& sentence) {
  Expectation expectation = expect(sentence);
  expectation.prefer = true;
  return expectation;
}

inline Step step(const std::string& id, std::vector<Expectation> expectations = {}) {
  Step made;
  made.id = id;
  made.check = "test.check";
  made.layer = "test";
  made.expectations = std::move(expectations);
  made.metrics = {{"rate", "GB/s", "higher"}, {"width", "lanes", "higher"}, {"width_capable", "lanes", "bound"},
                  {"errors", "count", "lower"}, {"latency", "us", "lower"}};
  return made;
}

inline Measurement measured(const std::string& metric, double value, const std::string& unit,
                            const std::string& device = "") {
  return {.metric = metric, .device = device, .value = value, .unit = unit, .samples = {}, .counted = {}};
}

// A run of some steps, each one trial on node "n".
class RunBuilder {
 public:
  explicit RunBuilder(const std::vector<Step>& steps) {
    say(RunStarted{.run = "test-1", .recipe = "test", .summary = "", .file = "test.yaml", .version = "0",
                   .layers = {"test"}, .facts = {}});
    for (const Step& one : steps) say(StepPlanned{one});
    for (const Step& one : steps) {
      TrialPlanned planned{one.id + "@n", one.id, {}};
      for (const std::string& need : one.needs) planned.needs.push_back(need + "@n");
      say(planned);
    }
  }

  RunBuilder& say(EventBody body) {
    events.push_back({++now, "n", std::move(body)});
    const std::string objection = run.apply(events.back());
    if (!objection.empty()) throw std::logic_error(objection);
    return *this;
  }

  // Starts, reports and ends the trial of a step, without judging it.
  RunBuilder& trial(const std::string& id, const std::vector<Report>& reports, const Ending& ending = {}) {
    say(TrialStarted{id + "@n"});
    for (const Report& report : reports) say(Reported{id + "@n", report, ""});
    return say(TrialEnded{id + "@n", ending});
  }

  RunBuilder& judged(const std::string& id) { return say(TrialJudged{id + "@n", verdict(id)}); }
  Verdict verdict(const std::string& id) const { return judge(run, *run.find_trial(id + "@n")); }

  Run run;
  std::vector<Event> events;
  std::int64_t now = 1'700'000'000'000'000;
};

// The verdict on one trial of one step.
inline Verdict judge_one(const Step& one, const std::vector<Report>& reports, const Ending& ending = {}) {
  RunBuilder builder({one});
  builder.trial(one.id, reports, ending);
  return builder.verdict(one.id);
}

}  // namespace rackproof::test
