#include "graphs/journal.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "graphs/decode.h"
#include "graphs/exports.h"
#include "tests/support/runs.h"

using namespace rackproof;
using namespace rackproof::test;

namespace {

namespace fs = std::filesystem;

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "rackproof-journal-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
};

std::string content(const std::string& file) {
  std::ostringstream out;
  out << std::ifstream(file, std::ios::binary).rdbuf();
  return out.str();
}

void write(const std::string& file, std::string_view text) { std::ofstream(file, std::ios::binary) << text; }

// One of everything.
RunBuilder full_run() {
  Step first = step("first", {expect("rate >= 1 GB/s"), prefer("errors == 0")});
  first.with = {{"size", "1 GiB"}, {"path", "/a=b \"c\""}};
  first.watch = {"host.counters"};
  first.memory = 1 << 20;
  first.expectations[0].source = "vendor";
  first.expectations[0].match = Match{"gpu", "*"};
  Step second = step("second", {expect("width == 100 % of width_capable")});
  second.needs = {"first"};
  second.optional = true;
  RunBuilder builder({first, second, step("third")});
  Measurement rate = measured("rate", 1.0 / 3, "GB/s", "gpu:0");
  rate.samples = Samples{12, 0.1, 0.5, 0.05, true};
  rate.counted = Counted{1'000'000'007, 999, 2};
  Ending crashed;
  crashed.how = Ending::How::signalled;
  crashed.code = 11;
  crashed.last_error = "tab\there, bell\x07, quote\", \xff";
  crashed.garbled = "half";
  crashed.left_behind = 1;
  builder.trial("first",
                {Simulated{"sysroot /x"}, Device{"gpu:0", "gpu", "H100", "", {{"sm", std::int64_t{90}}, {"clock", 1.5}}},
                 Link{"machine", "gpu:0", "pcie", {{"width_lanes", std::int64_t{16}}}}, rate,
                 measured("errors", NAN, "count"), Fault{"gpu:0", "lost", "fell off"}, Note{"line\nbreak"}},
                crashed);
  builder.judged("first");
  builder.say(TrialJudged{"second@n", blocked(builder.run, *builder.run.find_trial("second@n"))});
  builder.trial("third", {Skipped{"no"}}).judged("third");
  builder.say(RunEnded{builder.run.outcome(), "by SIGINT"}).say(RunResumed{}).say(RunEnded{builder.run.outcome(), ""});
  return builder;
}

std::string exported(const Run& run) {
  std::ostringstream out;
  const ResultGraph graph = fold(run);
  for (const ExportFormat& format : export_formats()) format.write(graph, out);
  return out.str();
}

}  // namespace

TEST_CASE("every event reads back as it was written, byte for byte") {
  Decoder decoder;
  for (const Event& event : full_run().events) {
    const std::string line = encode(event);
    const auto back = decoder.event(line);
    INFO(line << " " << decoder.why());
    REQUIRE(back);
    CHECK(encode(*back) == line);
  }
}

TEST_CASE("a replayed journal gives every export that the live run gave") {
  const Folder folder;
  const RunBuilder builder = full_run();
  {
    JournalWriter journal = JournalWriter::create(folder.file("journal.jsonl"));
    for (const Event& event : builder.events) journal.append(event);
  }
  const JournalRead read = read_journal(folder.path.string());
  CHECK(read.events == builder.events.size());
  CHECK_FALSE(read.torn);
  CHECK(exported(read.run) == exported(builder.run));
}

TEST_CASE("a journal cut at any byte still loads, without its torn line") {
  const Folder folder;
  std::string whole;
  for (const Event& event : full_run().events) whole += encode(event) + "\n";
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    write(folder.file("cut"), cut);
    const JournalRead read = read_journal(folder.file("cut"));
    CHECK(read.events == static_cast<std::size_t>(std::count(cut.begin(), cut.end(), '\n')));
    CHECK(read.torn == (!cut.empty() && cut.back() != '\n'));
    if (size % 97 == 0) exported(read.run);
  }
}

TEST_CASE("a journal that is continued loses only its torn line") {
  const Folder folder;
  const RunBuilder builder = full_run();
  std::string whole;
  for (const Event& event : builder.events) whole += encode(event) + "\n";
  const std::string torn = whole.substr(0, whole.size() - 10);
  write(folder.file("journal"), torn);
  { JournalWriter::resume(folder.file("journal")).append(builder.events.back()); }
  CHECK(content(folder.file("journal")) == whole);
}

TEST_CASE("what was reserved beyond the end is given back") {
  const Folder folder;
  std::size_t written = 0;
  {
    JournalWriter journal = JournalWriter::create(folder.file("journal"));
    journal.append(full_run().events.front());
    written = encode(full_run().events.front()).size() + 1;
  }
  CHECK(fs::file_size(folder.file("journal")) == written);
}

TEST_CASE("a journal is never overwritten") {
  const Folder folder;
  write(folder.file("journal"), "kept");
  CHECK_THROWS(JournalWriter::create(folder.file("journal")));
  CHECK(content(folder.file("journal")) == "kept");
}

TEST_CASE("what is no journal is refused with file and line") {
  const Folder folder;
  const auto why = [&](const std::string& text) {
    write(folder.file("j"), text);
    try {
      read_journal(folder.file("j"));
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string start = encode(full_run().events.front()) + "\n";
  CHECK_THAT(why("hello\n"), Catch::Matchers::Contains("j:1: not an event"));
  CHECK_THAT(why(start + "{}\n"), Catch::Matchers::Contains("j:2: not an event"));
  CHECK_THAT(why(start + start), Catch::Matchers::Contains("j:2: a second run"));
  CHECK_THAT(why(start + R"({"event":"trial_started","at_us":1,"node":"n","trial":"x"})" + "\n"),
             Catch::Matchers::Contains("j:2: the trial 'x' was never planned"));
  CHECK_THAT(why(R"({"event":"run_ended","at_us":1,"node":"n","outcome":"pass"})" "\n"),
             Catch::Matchers::Contains("does not begin with its run"));
  std::string future = start;
  future.replace(future.find("\"format\":1"), 10, "\"format\":9");
  CHECK_THAT(why(future), Catch::Matchers::Contains("format 9"));
  CHECK_THROWS(read_journal(folder.file("absent")));
  CHECK_THROWS(read_journal("/dev/null/x"));
}

TEST_CASE("no line of a check is a report unless every member fits") {
  Decoder decoder;
  CHECK(decoder.report(R"({"report":"done"})"));
  CHECK(decoder.report(R"({"report":"done","more":1})"));
  for (const char* line :
       {"", "hello", "[]", "1", "null", "{", "{}", R"({"report":"passed"})", R"({"report":"pass"})", R"({"report":1})",
        R"({"report":"measurement"})", R"({"report":"measurement","metric":"x","value":"1","unit":"s"})",
        R"({"report":"measurement","metric":"x","value":1})", R"({"report":"device","id":"","kind":"x"})",
        R"({"report":"device","id":"a","kind":"x","parent":"a"})",
        R"({"report":"device","id":"a","kind":"x","facts":{"Bad Name":1}})",
        R"({"report":"device","id":"a","kind":"x","facts":{"ok":[]}})", R"({"report":"note"})",
        R"({"report":"fault","code":"x"})", R"({"report":"measurement","metric":"x","value":1e999,"unit":"s"})",
        "{\"report\":\"note\",\"text\":\"\xff\"}"}) {
    INFO(line);
    CHECK_FALSE(decoder.report(line));
    CHECK_FALSE(decoder.why().empty());
  }
}
