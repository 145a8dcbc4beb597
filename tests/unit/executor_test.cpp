#include "runner/executor.h"

#include <catch2/catch.hpp>
#include <deque>
#include <filesystem>

#include "tests/support/runs.h"

using namespace rackproof;
using namespace rackproof::test;

namespace {

namespace fs = std::filesystem;

// Plays a script per library: the lines that the "process" says, then its end.
class FakeLauncher : public Launcher {
 public:
  void start(const Launch& launch) override {
    started.push_back(launch.argv.at(0));
    for (const std::string& line : lines_of(launch.argv.at(0))) happenings.push_back(Said{launch.trial, line});
    happenings.push_back(Finished{launch.trial, {}});
  }
  Happening wait(std::chrono::milliseconds) override {
    if (happenings.empty()) return Quiet{};
    Happening first = happenings.front();
    happenings.pop_front();
    return first;
  }
  void stop(const std::string& trial, const std::string& why) override { stopped.emplace_back(trial, why); }

  std::vector<std::string> lines_of(const std::string& check) {
    const auto found = says.find(check);
    if (found == says.end()) return {R"({"report":"done"})"};
    if (found->second.size() > 1) {
      std::vector<std::string> first = found->second.front();
      found->second.pop_front();
      return first;
    }
    return found->second.front();
  }

  std::map<std::string, std::deque<std::vector<std::string>>> says;  // by check: one entry a start
  std::deque<Happening> happenings;
  std::vector<std::string> started;
  std::vector<std::pair<std::string, std::string>> stopped;
};

struct World {
  explicit World(const std::vector<Step>& steps) : builder(steps) {
    std::string name = (fs::temp_directory_path() / "rackproof-executor-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~World() { fs::remove_all(folder); }

  const Run& execute() {
    JournalWriter journal = JournalWriter::create((folder / "journal.jsonl").string());
    for (const Event& event : builder.events) journal.append(event);
    Executor executor(builder.run, Plan(builder.run.steps, {"n"}), launcher, journal,
                      [](const Step&, const std::string& check, bool) { return std::vector<std::string>{check}; }, {});
    executor.execute();
    signal = executor.interrupting_signal();
    return builder.run;
  }
  Outcome outcome(const std::string& id) const { return builder.run.find_trial(id + "@n")->verdict->outcome; }

  RunBuilder builder;
  FakeLauncher launcher;
  fs::path folder;
  int signal = 0;
};

std::string ticks(int value) {
  return encode(Report(measured("errors", value, "count", "pci:1")));
}

}  // namespace

TEST_CASE("a watch is read before and after, and the difference is judged") {
  Step one = step("s", {expect("errors == 0")});
  one.watch = {"host.counters"};
  World world({one});
  world.launcher.says["host.counters"] = {{ticks(100), R"({"report":"done"})"}, {ticks(103), R"({"report":"done"})"}};
  world.execute();
  CHECK(world.launcher.started == std::vector<std::string>{"host.counters", "test.check", "host.counters"});
  CHECK(world.outcome("s") == Outcome::fail);
  CHECK(read_journal(world.folder.string()).run.trials[0].watched.size() == 1);
}

TEST_CASE("counters that do not move are no failure, and one that was reset counts from there") {
  Step one = step("s", {expect("errors <= 3")});
  one.watch = {"host.counters"};
  World world({one});
  world.launcher.says["host.counters"] = {{ticks(100)}, {ticks(3)}};
  world.execute();
  CHECK(world.outcome("s") == Outcome::pass);
}

TEST_CASE("a step above a failed one is blocked and never started") {
  Step first = step("first", {expect("rate >= 1 GB/s")});
  Step second = step("second");
  second.needs = {"first"};
  second.check = "never";
  World world({first, second});
  world.execute();
  CHECK(world.outcome("first") == Outcome::error);
  CHECK(world.outcome("second") == Outcome::blocked);
  CHECK(world.builder.run.trials[1].verdict->blocked_by == std::vector<std::string>{"first@n"});
  CHECK(world.launcher.started == std::vector<std::string>{"test.check"});
  CHECK(world.builder.run.ended->outcome == Outcome::error);
}

TEST_CASE("a check that says too much is stopped, and what it said is bounded") {
  World world({step("s")});
  world.launcher.says["test.check"] = {std::vector<std::string>(40'000, R"({"report":"note","text":"x"})")};
  world.execute();
  REQUIRE(world.launcher.stopped.size() == 1);
  CHECK(read_journal(world.folder.string()).run.trials[0].reports.size() == 32'768);
}

TEST_CASE("a line that is no report is named in the verdict") {
  World world({step("s")});
  world.launcher.says["test.check"] = {{R"({"report":"passed"})", R"({"report":"done"})"}};
  world.execute();
  CHECK(world.outcome("s") == Outcome::error);
  CHECK_THAT(world.builder.run.trials[0].verdict->reason, Catch::Matchers::Contains("there is no report 'passed'"));
}

TEST_CASE("an interruption closes every bracket") {
  World world({step("s"), step("t")});
  world.launcher.happenings.push_back(Interrupted{15});
  world.execute();
  CHECK(world.signal == 15);
  const Run& run = world.builder.run;
  REQUIRE(run.ended);
  CHECK(run.ended->interrupted == "interrupted by SIGTERM");
  CHECK(run.trials[0].ending->how == Ending::How::stopped);
  CHECK(world.outcome("s") == Outcome::error);
  CHECK_FALSE(run.trials[1].started);
}
