#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <string>

#include "checks/api/report.h"

using namespace rackproof;

namespace {

Measurement plain(double value) {
  return {.metric = "rate", .device = "gpu:0", .value = value, .unit = "GB/s", .samples = {}, .counted = {}};
}

}  // namespace

TEST_CASE("report: a device and its facts") {
  CHECK(encode(Device{.id = "pci:0000:17:00.0",
                      .kind = "gpu",
                      .name = "H100",
                      .parent = "bridge:1",
                      .facts = {{"driver", std::string("nvidia")},
                                {"size_bytes", std::int64_t{85899345920}},
                                {"speed_gts", 32.0}}}) ==
        R"({"report":"device","id":"pci:0000:17:00.0","kind":"gpu","name":"H100","parent":"bridge:1",)"
        R"("facts":{"driver":"nvidia","size_bytes":85899345920,"speed_gts":32.0}})");
}

TEST_CASE("report: what a device does not have is not written") {
  CHECK(encode(Device{.id = "machine", .kind = "machine", .name = "", .parent = "", .facts = {}}) ==
        R"({"report":"device","id":"machine","kind":"machine"})");
}

TEST_CASE("report: a link") {
  CHECK(encode(Link{.from = "a", .to = "b", .kind = "pcie", .facts = {{"width_lanes", std::int64_t{16}}}}) ==
        R"({"report":"link","from":"a","to":"b","kind":"pcie","facts":{"width_lanes":16}})");
  CHECK(encode(Link{.from = "a", .to = "b", .kind = "ib", .facts = {}}) ==
        R"({"report":"link","from":"a","to":"b","kind":"ib"})");
}

TEST_CASE("report: a measurement, short and whole") {
  Measurement measurement = plain(45.25);
  CHECK(encode(measurement) ==
        R"({"report":"measurement","metric":"rate","device":"gpu:0","value":45.25,"unit":"GB/s"})");
  measurement.device = "";
  measurement.samples = Samples{.n = 12, .low = 45, .high = 45.5, .worst = 44, .steady = false};
  measurement.counted = Counted{.amount = 1073741824, .nanoseconds = 23000000, .directions = 2};
  CHECK(encode(measurement) ==
        R"({"report":"measurement","metric":"rate","value":45.25,"unit":"GB/s",)"
        R"("samples":{"n":12,"low":45.0,"high":45.5,"worst":44.0,"steady":false},)"
        R"("counted":{"amount":1073741824,"nanoseconds":23000000,"directions":2}})");
}

TEST_CASE("report: NaN is null, and is the same evidence as NaN") {
  CHECK(encode(plain(std::nan(""))) ==
        R"({"report":"measurement","metric":"rate","device":"gpu:0","value":null,"unit":"GB/s"})");
  CHECK(plain(std::nan("")) == plain(std::nan("")));
  CHECK_FALSE(plain(std::nan("")) == plain(1));
  CHECK(plain(1) == plain(1));
  CHECK_FALSE(plain(1) == plain(2));
}

TEST_CASE("report: measurements differ in every part") {
  const Measurement one = plain(1);
  const auto differs = [&](auto change) {
    Measurement other = one;
    change(other);
    return !(other == one);
  };
  CHECK(differs([](Measurement& m) { m.metric = "other"; }));
  CHECK(differs([](Measurement& m) { m.device = "other"; }));
  CHECK(differs([](Measurement& m) { m.unit = "MB/s"; }));
  CHECK(differs([](Measurement& m) { m.samples = Samples{}; }));
  CHECK(differs([](Measurement& m) { m.counted = Counted{}; }));
}

TEST_CASE("report: faults, notes and the simulated mark") {
  CHECK(encode(Fault{.device = "gpu:0", .code = "data-mismatch", .text = "1 byte differs"}) ==
        R"({"report":"fault","device":"gpu:0","code":"data-mismatch","text":"1 byte differs"})");
  CHECK(encode(Fault{.device = "", .code = "lost", .text = "gone"}) ==
        R"({"report":"fault","code":"lost","text":"gone"})");
  CHECK(encode(Note{"two\nlines"}) == R"({"report":"note","text":"two\nlines"})");
  CHECK(encode(Simulated{"sysroot /srv/node7"}) == R"({"report":"simulated","by":"sysroot /srv/node7"})");
}

TEST_CASE("report: the last words, and only they, are last words") {
  CHECK(encode(Done{}) == R"({"report":"done"})");
  CHECK(encode(Skipped{"no GPU"}) == R"({"report":"skip","why":"no GPU"})");
  CHECK(encode(Troubled{"no \xff"}) == "{\"report\":\"trouble\",\"why\":\"no \xEF\xBF\xBD\"}");
  CHECK(is_last_word(Done{}));
  CHECK(is_last_word(Skipped{}));
  CHECK(is_last_word(Troubled{}));
  for (const Report& report : {Report(Device{}), Report(Link{}), Report(Measurement{}), Report(Fault{}), Report(Note{}),
                               Report(Simulated{})}) {
    CHECK_FALSE(is_last_word(report));
  }
}

TEST_CASE("report: whatever a text holds, a report is one line") {
  std::string every_byte;
  for (int c = 0; c < 256; ++c) every_byte.push_back(static_cast<char>(c));
  for (const Report& report : {Report(Note{every_byte}), Report(Fault{every_byte, every_byte, every_byte}),
                               Report(Device{every_byte, every_byte, every_byte, every_byte, {{every_byte, 1.0}}})}) {
    const std::string line = encode(report);
    CHECK(std::ranges::none_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
  }
}
