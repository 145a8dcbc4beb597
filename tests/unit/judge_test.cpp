#include "graphs/judge.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "tests/support/runs.h"

using namespace rackproof;
using namespace rackproof::test;
using Catch::Matchers::Contains;

namespace {

Ending ended_by(Ending::How how, std::int64_t code = 0) {
  Ending ending;
  ending.how = how;
  ending.code = code;
  return ending;
}

Measurement unsteady(Measurement measurement) {
  measurement.samples = Samples{12, measurement.value, measurement.value, measurement.value, false};
  return measurement;
}

}  // namespace

TEST_CASE("a limit that holds is a pass, one that is missed a fail with number, limit and place") {
  const Step one = step("s", {expect("rate >= 10 GB/s")});
  CHECK(judge_one(one, {measured("rate", 10, "GB/s"), Done{}}).outcome == Outcome::pass);
  const Verdict verdict = judge_one(one, {measured("rate", 9, "GB/s"), Done{}});
  CHECK(verdict.outcome == Outcome::fail);
  CHECK(verdict.reason == "rate is 9 GB/s, expected >= 10 GB/s (test.yaml:1:1)");
}

TEST_CASE("the part is named first, with the name that its device was given") {
  const Step one = step("s", {expect("rate >= 10 GB/s")});
  const Device device{"pci:1", "nic", "ConnectX-7", "", {}};
  const Verdict verdict = judge_one(one, {device, measured("rate", 9, "GB/s", "pci:1"), Done{}});
  CHECK_THAT(verdict.reason, Contains("pci:1 (ConnectX-7): rate is 9 GB/s"));
  REQUIRE(verdict.findings.size() == 1);
  CHECK(verdict.findings[0].device == "pci:1");
}

TEST_CASE("without evidence there is no pass") {
  const Step one = step("s", {expect("rate >= 10 GB/s")});
  const auto outcome = [&](const std::vector<Report>& reports, const Ending& ending = {}) {
    return judge_one(one, reports, ending).outcome;
  };
  const Measurement good = measured("rate", 11, "GB/s");
  CHECK(outcome({}) == Outcome::error);
  CHECK(outcome({good}) == Outcome::error);
  CHECK(outcome({Done{}}) == Outcome::error);
  CHECK(outcome({good, Done{}, Note{"more"}}) == Outcome::error);
  CHECK(outcome({good, Done{}, Done{}}) == Outcome::error);
  CHECK(outcome({good, Troubled{"no disk"}}) == Outcome::error);
  CHECK(outcome({measured("rate", NAN, "GB/s"), Done{}}) == Outcome::error);
  CHECK(outcome({measured("rate", 11, "ms"), Done{}}) == Outcome::error);
  CHECK(outcome({measured("rate", 11, "bogus"), Done{}}) == Outcome::error);
  CHECK(outcome({good, measured("undeclared", 1, "count"), Done{}}) == Outcome::error);
  CHECK(outcome({unsteady(good), Done{}}) == Outcome::error);
  CHECK(outcome({good, Done{}}, ended_by(Ending::How::exited, 3)) == Outcome::error);
  CHECK(outcome({good, Done{}}, ended_by(Ending::How::signalled, 11)) == Outcome::error);
  CHECK(outcome({good, Done{}}, ended_by(Ending::How::timed_out, 15)) == Outcome::error);
  CHECK(outcome({good, Done{}}, ended_by(Ending::How::unkillable)) == Outcome::error);
  CHECK(outcome({good, Done{}}, ended_by(Ending::How::not_started)) == Outcome::error);
  Ending garbled;
  garbled.garbled = "line 1 of what it said is no report";
  CHECK(outcome({good, Done{}}, garbled) == Outcome::error);
}

TEST_CASE("a limit on a device that was not measured has no evidence") {
  const Step one = step("s", {expect("rate on gpu:* >= 10 GB/s")});
  const Verdict verdict = judge_one(one, {measured("rate", 11, "GB/s", "nic:0"), Done{}});
  CHECK(verdict.outcome == Outcome::error);
  CHECK_THAT(verdict.reason, Contains("no evidence for rate on gpu:*"));
  CHECK(judge_one(one, {measured("rate", 11, "GB/s", "gpu:0"), Done{}}).outcome == Outcome::pass);
}

TEST_CASE("a step that expects nothing is info, also when it prefers something") {
  CHECK(judge_one(step("s"), {measured("rate", 1, "GB/s"), Done{}}).outcome == Outcome::info);
  CHECK(judge_one(step("s", {prefer("rate >= 1 GB/s")}), {measured("rate", 1, "GB/s"), Done{}}).outcome == Outcome::info);
}

TEST_CASE("a missed preference is a warning") {
  const Step one = step("s", {expect("rate >= 1 GB/s"), prefer("rate >= 10 GB/s")});
  CHECK(judge_one(one, {measured("rate", 5, "GB/s"), Done{}}).outcome == Outcome::warn);
  CHECK(judge_one(one, {unsteady(measured("rate", 50, "GB/s")), Done{}}).outcome == Outcome::error);
}

TEST_CASE("a fault stands, whatever came after it") {
  const Step one = step("s", {expect("rate >= 1 GB/s")});
  const Fault fault{"gpu:3", "data-mismatch", "3 words differ"};
  const Verdict verdict = judge_one(one, {fault}, ended_by(Ending::How::signalled, 11));
  CHECK(verdict.outcome == Outcome::fail);
  CHECK_THAT(verdict.reason, Contains("gpu:3: 3 words differ [data-mismatch]"));
  CHECK(judge_one(one, {measured("rate", 5, "GB/s"), fault, Done{}}).outcome == Outcome::fail);
  CHECK(judge_one(one, {fault, Skipped{"x"}}).outcome == Outcome::fail);
}

TEST_CASE("what was measured as too little is a fail, though other evidence is missing") {
  const Step one = step("s", {expect("errors == 0"), expect("rate >= 10 GB/s")});
  const Verdict verdict = judge_one(one, {measured("rate", 1, "GB/s"), Done{}});
  CHECK(verdict.outcome == Outcome::fail);
  CHECK(verdict.findings.size() == 2);
}

TEST_CASE("a skip stands only where the step is optional") {
  Step one = step("s", {expect("rate >= 1 GB/s")});
  CHECK(judge_one(one, {Skipped{"no GPU"}}).outcome == Outcome::error);
  one.optional = true;
  const Verdict verdict = judge_one(one, {Skipped{"no GPU"}});
  CHECK(verdict.outcome == Outcome::skip);
  CHECK(verdict.reason == "no GPU");
}

TEST_CASE("a limit holds for every device, and the worst is said first") {
  const Step one = step("s", {expect("rate >= 10 GB/s")});
  const Verdict verdict = judge_one(one, {measured("rate", 9, "GB/s", "a"), measured("rate", 2, "GB/s", "b"),
                                          measured("rate", 12, "GB/s", "c"), Done{}});
  CHECK(verdict.outcome == Outcome::fail);
  REQUIRE(verdict.findings.size() == 2);
  CHECK(verdict.findings[0].device == "b");
}

TEST_CASE("units convert before they are compared") {
  const Step one = step("s", {expect("rate >= 10 GB/s"), expect("latency <= 1 ms")});
  CHECK(judge_one(one, {measured("rate", 10000, "MB/s"), measured("latency", 900, "us"), Done{}}).outcome == Outcome::pass);
  CHECK(judge_one(one, {measured("rate", 80, "Gb/s"), measured("latency", 1000, "us"), Done{}}).outcome == Outcome::pass);
  CHECK(judge_one(one, {measured("rate", 79, "Gb/s"), measured("latency", 1.1, "ms"), Done{}}).findings.size() == 2);
}

TEST_CASE("a share is taken of the same device's own measurement") {
  const Step one = step("s", {expect("width == 100 % of width_capable")});
  const Verdict verdict =
      judge_one(one, {measured("width", 8, "lanes", "a"), measured("width_capable", 16, "lanes", "a"),
                      measured("width", 4, "lanes", "b"), measured("width_capable", 4, "lanes", "b"), Done{}});
  CHECK(verdict.outcome == Outcome::fail);
  REQUIRE(verdict.findings.size() == 1);
  CHECK_THAT(verdict.reason, Contains("a: width is 8 lanes, expected == 100 % of width_capable = 16 lanes"));
  CHECK(judge_one(one, {measured("width", 8, "lanes", "a"), measured("width_capable", 16, "lanes", "b"), Done{}}).outcome ==
        Outcome::error);
}

TEST_CASE("a share of another step's measurement") {
  RunBuilder builder({step("first"), step("second", {expect("rate >= 90 % of first.rate")})});
  builder.trial("first", {measured("rate", 10, "GB/s", "a"), measured("rate", 20, "GB/s", "b"), Done{}}).judged("first");
  builder.trial("second", {measured("rate", 9.5, "GB/s", "a"), measured("rate", 9.5, "GB/s", "b"), Done{}});
  const Verdict verdict = builder.verdict("second");
  REQUIRE(verdict.findings.size() == 1);
  CHECK(verdict.findings[0].device == "b");
  CHECK(verdict.outcome == Outcome::fail);
}

TEST_CASE("count and spread speak of all devices together") {
  const std::vector<Report> reports{measured("rate", 9, "GB/s", "a"), measured("rate", 10, "GB/s", "b"),
                                    measured("rate", 11, "GB/s", "c"), Done{}};
  CHECK(judge_one(step("s", {expect("count(rate) == 3")}), reports).outcome == Outcome::pass);
  const Verdict few = judge_one(step("s", {expect("count(rate) >= 8")}), reports);
  CHECK(few.outcome == Outcome::fail);
  CHECK_THAT(few.reason, Contains("rate was measured on 3 devices, expected >= 8"));
  CHECK(judge_one(step("s", {expect("spread(rate) <= 20 %")}), reports).outcome == Outcome::pass);
  const Verdict wide = judge_one(step("s", {expect("spread(rate) <= 19 %")}), reports);
  CHECK(wide.outcome == Outcome::fail);
  CHECK(wide.findings[0].device == "a");
  CHECK(judge_one(step("s", {expect("count(rate) == 0")}), {Done{}}).outcome == Outcome::pass);
  CHECK(judge_one(step("s", {expect("spread(rate) <= 5 %")}), {Done{}}).outcome == Outcome::error);
}

TEST_CASE("limits for a platform do not count on another") {
  Expectation expectation = expect("rate >= 1 GB/s");
  expectation.match = Match{"gpu", "*H100*"};
  const Step one = step("s", {expectation});
  const auto on = [&](const std::string& name) {
    return judge_one(one, {Device{"gpu:0", "gpu", name, "", {}}, measured("rate", 5, "GB/s"), Done{}});
  };
  CHECK(on("NVIDIA H100 80GB HBM3").outcome == Outcome::pass);
  CHECK(on("NVIDIA A100").outcome == Outcome::error);
  CHECK_THAT(on("NVIDIA A100").reason, Contains("for a gpu named '*H100*', and none was seen"));
}

TEST_CASE("processes that were left behind are a warning") {
  Ending ending;
  ending.left_behind = 2;
  const Verdict verdict =
      judge_one(step("s", {expect("rate >= 1 GB/s")}), {measured("rate", 5, "GB/s"), Done{}}, ending);
  CHECK(verdict.outcome == Outcome::warn);
  CHECK_THAT(verdict.reason, Contains("left 2 processes behind"));
}

TEST_CASE("measurements of a watch are evidence too") {
  RunBuilder builder({step("s", {expect("errors == 0")})});
  builder.say(TrialStarted{"s@n"}).say(Reported{"s@n", Done{}, ""});
  builder.say(Reported{"s@n", measured("errors", 2, "count", "pci:1"), "host.counters"}).say(TrialEnded{"s@n", {}});
  CHECK(builder.verdict("s").outcome == Outcome::fail);
}

// Loosening a limit never turns a pass into a fail, and tightening one never turns a fail into a pass.
TEST_CASE("outcomes are monotonic in the limit, over random reports") {
  std::mt19937 random(4711);
  const auto number = [&](int to) { return static_cast<int>(random() % static_cast<unsigned>(to + 1)); };
  struct Shape {
    std::string sentence;
    bool higher_is_tighter;
  };
  const std::vector<Shape> shapes{{"rate >= {} GB/s", true},       {"rate <= {} GB/s", false},
                                  {"rate within {} % of 50 GB/s", false}, {"count(rate) >= {}", true},
                                  {"spread(rate) <= {} %", false}, {"rate on a* >= {} GB/s", true},
                                  {"width >= {} % of width_capable", true}};
  for (int round = 0; round < 3000; ++round) {
    std::vector<Report> reports;
    for (int i = number(5); i >= 0; --i) {
      const std::string device = std::string(1, static_cast<char>('a' + number(2))) + std::to_string(i);
      Measurement one = measured("rate", number(100), number(9) == 0 ? "ms" : "GB/s", number(4) == 0 ? "" : device);
      if (number(20) == 0) one.value = NAN;
      if (number(20) == 0) one = unsteady(one);
      reports.push_back(one);
      if (number(1) == 0) reports.push_back(measured("width", number(16), "lanes", device));
      if (number(1) == 0) reports.push_back(measured("width_capable", 16, "lanes", device));
      if (number(40) == 0) reports.push_back(Fault{device, "broken", "broken"});
    }
    if (number(10) != 0) reports.push_back(Done{});
    const Shape& shape = shapes[static_cast<std::size_t>(number(static_cast<int>(shapes.size()) - 1))];
    const int a = 1 + number(98);
    const int b = a + 1;
    const auto outcome = [&](int bound) {
      std::string sentence = shape.sentence;
      sentence.replace(sentence.find("{}"), 2, std::to_string(bound));
      return judge_one(step("s", {expect(sentence)}), reports).outcome;
    };
    const Outcome loose = outcome(shape.higher_is_tighter ? a : b);
    const Outcome tight = outcome(shape.higher_is_tighter ? b : a);
    INFO(shape.sentence << " with " << a << " and " << b);
    CHECK(loose <= tight);
    CHECK_FALSE((tight == Outcome::pass && loose != Outcome::pass));
  }
}

TEST_CASE("what is blocked says which step holds it back, and why the first one could not be decided", "[judge]") {
  Step links = step("links");
  Step gpus = step("gpus");
  Step copies = step("copies");
  Step burn = step("burn");
  copies.needs = {"links", "gpus"};
  burn.needs = {"copies", "gpus"};
  RunBuilder build({links, gpus, copies, burn});
  build.say(TrialJudged{"links@n", {Outcome::fail, "width is 8 lanes", {}, {}}});
  build.say(TrialJudged{"gpus@n", {Outcome::error, "there is no GPU here", {}, {}}});
  const Verdict held = blocked(build.run, build.run.trials[2]);
  CHECK(held.reason == "not tried: it needs links (fail), gpus (error); gpus: there is no GPU here");
  build.say(TrialJudged{"copies@n", held});
  CHECK(blocked(build.run, build.run.trials[3]).reason ==
        "not tried: it needs copies (blocked), gpus (error); gpus: there is no GPU here");
}
