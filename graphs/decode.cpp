#include "graphs/decode.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "graphs/json_object.h"

namespace rackproof {

struct Decoder::Parser {
  simdjson::dom::parser parser;
};

namespace {

using json::Malformed;
using json::Object;

// Facts become attributes of an export, so their names must be fit for one.
bool is_fact_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || (name.front() >= '0' && name.front() <= '9')) return false;
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

Facts facts_of(const Object& object) {
  Facts facts;
  object.each_member("facts", [&](std::string_view name, simdjson::dom::element value) {
    if (!is_fact_name(name)) throw Malformed{fmt::format("the fact '{}' is not named [a-z_][a-z0-9_]*", name)};
    FactValue fact;
    if (value.is_string()) {
      fact = std::string(value.get_string().value());
    } else if (value.is_int64()) {
      fact = value.get_int64().value();
    } else if (value.is_double()) {
      fact = value.get_double().value();
    } else if (value.is_bool()) {
      fact = std::string(value.get_bool().value() ? "yes" : "no");
    } else {
      throw Malformed{fmt::format("the fact '{}' is neither text nor number", name)};
    }
    facts.emplace_back(name, std::move(fact));
  });
  return facts;
}

Measurement measurement_of(const Object& object) {
  Measurement measurement{.metric = object.text("metric"),
                          .device = object.text_or("device", ""),
                          .value = object.number_or_null("value"),
                          .unit = object.text("unit"),
                          .samples = {},
                          .counted = {}};
  if (const auto samples = object.object("samples")) {
    measurement.samples = Samples{.n = samples->integer("n"),
                                  .low = samples->number_or_null("low"),
                                  .high = samples->number_or_null("high"),
                                  .worst = samples->number_or_null("worst"),
                                  .steady = samples->boolean("steady")};
  }
  if (const auto counted = object.object("counted")) {
    measurement.counted = Counted{.amount = counted->integer("amount"),
                                  .nanoseconds = counted->integer("nanoseconds"),
                                  .directions = counted->integer("directions")};
  }
  return measurement;
}

Report report_of(const Object& object) {
  const std::string_view kind = object.view("report");
  if (kind == "measurement") return measurement_of(object);
  if (kind == "device") {
    Device device{.id = object.text("id"),
                  .kind = object.text("kind"),
                  .name = object.text_or("name", ""),
                  .parent = object.text_or("parent", ""),
                  .facts = facts_of(object)};
    if (device.id.empty()) throw Malformed{"a device has an empty id"};
    if (device.id == device.parent) throw Malformed{fmt::format("the device '{}' is part of itself", device.id)};
    return device;
  }
  if (kind == "link") {
    return Link{object.text("from"), object.text("to"), object.text("kind"), facts_of(object)};
  }
  if (kind == "fault") return Fault{object.text_or("device", ""), object.text("code"), object.text("text")};
  if (kind == "note") return Note{object.text("text")};
  if (kind == "simulated") return Simulated{object.text("by")};
  if (kind == "done") return Done{};
  if (kind == "skip") return Skipped{object.text("why")};
  if (kind == "trouble") return Troubled{object.text("why")};
  throw Malformed{fmt::format("there is no report '{}'", kind)};
}

Outcome outcome_of(const Object& object) {
  const auto outcome = outcome_from(object.view("outcome"));
  if (!outcome) throw Malformed{fmt::format("there is no outcome '{}'", object.view("outcome"))};
  return *outcome;
}

Expectation expectation_of(const Object& object) {
  Expectation expectation;
  expectation.prefer = object.has("prefer");
  LimitError error;
  const auto limit = parse_limit(object.view(expectation.prefer ? "prefer" : "expect"), error);
  if (!limit) throw Malformed{"a limit is malformed: " + error.text};
  expectation.limit = *limit;
  expectation.where = object.text("where");
  expectation.source = object.text_or("source", "");
  if (const auto match = object.object("match")) expectation.match = Match{match->text("kind"), match->text("name")};
  return expectation;
}

Span span_of(const Object& object) {
  auto span = parse_span(object.view("on"));
  const auto within = parse_within(object.view("within"));
  if (!span || !within) throw Malformed{fmt::format("a step is run on '{}'", object.view("on"))};
  span->rounds = object.integer("rounds");
  span->within = *within;
  return *span;
}

Step step_of(const Object& object) {
  Step step;
  step.id = object.text("step");
  step.check = object.text("check");
  step.layer = object.text("layer");
  step.summary = object.text_or("summary", "");
  object.each_member("with", [&](std::string_view name, simdjson::dom::element value) {
    if (!value.is_string()) throw Malformed{fmt::format("the parameter '{}' is not text", name)};
    step.with.emplace_back(name, value.get_string().value());
  });
  object.each_object("limits", [&](const Object& limit) { step.expectations.push_back(expectation_of(limit)); });
  object.each_object("metrics", [&](const Object& metric) {
    step.metrics.push_back({metric.text("name"), metric.text("unit"), metric.text("better")});
  });
  if (const auto span = object.object("span")) step.span = span_of(*span);
  step.optional = object.boolean("optional");
  step.needs = object.texts("needs");
  step.claims = object.texts("claims");
  step.watch = object.texts("watch");
  step.timeout = std::chrono::milliseconds(object.integer("timeout_ms"));
  step.grace = std::chrono::milliseconds(object.integer("grace_ms"));
  step.memory = static_cast<std::uint64_t>(object.integer_or("memory_bytes", 0));
  return step;
}

Ending ending_of(const Object& object) {
  using How = Ending::How;
  Ending ending;
  const std::string_view how = object.view("how");
  bool known = false;
  for (const How each : {How::exited, How::signalled, How::timed_out, How::stopped, How::unkillable, How::not_started}) {
    if (to_text(each) != how) continue;
    ending.how = each;
    known = true;
  }
  if (!known) throw Malformed{fmt::format("no process ends by '{}'", how)};
  ending.code = object.integer("code");
  ending.duration_us = object.integer("duration_us");
  ending.cpu_us = object.integer("cpu_us");
  ending.memory_bytes = object.integer("memory_bytes");
  ending.left_behind = object.integer_or("left_behind", 0);
  ending.why = object.text_or("why", "");
  ending.last_error = object.text_or("last_error", "");
  ending.garbled = object.text_or("garbled", "");
  return ending;
}

Verdict verdict_of(const Object& object) {
  Verdict verdict{outcome_of(object), object.text("reason"), {}, object.texts("blocked_by")};
  object.each_object("findings", [&](const Object& finding) {
    verdict.findings.push_back({outcome_of(finding), finding.text("text"), finding.text_or("device", ""),
                                finding.text_or("metric", "")});
  });
  return verdict;
}

EventBody body_of(const Object& object) {
  const std::string_view kind = object.view("event");
  if (kind == "reported") {
    return Reported{object.text("trial"), report_of(object.required_object("says")), object.text_or("watch", "")};
  }
  if (kind == "trial_started") return TrialStarted{object.text("trial")};
  if (kind == "trial_ended") return TrialEnded{object.text("trial"), ending_of(object)};
  if (kind == "trial_judged") return TrialJudged{object.text("trial"), verdict_of(object)};
  if (kind == "trial_planned") return TrialPlanned{object.text("trial"), object.text("step"), object.texts("needs")};
  if (kind == "step_planned") return StepPlanned{step_of(object)};
  if (kind == "run_started") {
    if (const auto format = object.integer("format"); format != kJournalFormat) {
      throw Malformed{fmt::format("the journal is of format {}, this program reads format {}", format, kJournalFormat)};
    }
    return RunStarted{object.text("run"),           object.text("recipe"),  object.text_or("summary", ""),
                      object.text("file"),          object.text("version"), object.texts("layers"),
                      facts_of(object)};
  }
  if (kind == "run_resumed") return RunResumed{};
  if (kind == "run_ended") return RunEnded{outcome_of(object), object.text_or("interrupted", "")};
  throw Malformed{fmt::format("there is no event '{}'", kind)};
}

}  // namespace

Decoder::Decoder() : parser_(std::make_unique<Parser>()) {}
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

std::optional<Report> Decoder::report(std::string_view line) {
  try {
    return report_of(json::parse(parser_->parser, line));
  } catch (const Malformed& malformed) {
    why_ = malformed.why;
    return std::nullopt;
  }
}

std::optional<Event> Decoder::event(std::string_view line) {
  try {
    const Object object = json::parse(parser_->parser, line);
    return Event{object.integer("at_us"), object.text("node"), body_of(object)};
  } catch (const Malformed& malformed) {
    why_ = malformed.why;
    return std::nullopt;
  }
}

}  // namespace rackproof
