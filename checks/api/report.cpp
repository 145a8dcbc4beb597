#include "checks/api/report.h"

#include <cmath>

#include "checks/api/json_line.h"

namespace rackproof {
namespace {

void add(JsonLine& line, const Facts& facts) {
  if (facts.empty()) return;
  line.open("facts");
  for (const auto& [name, value] : facts) {
    std::visit([&, &key = name](const auto& v) { line.add(key, v); }, value);
  }
  line.close();
}

struct Encoder {
  JsonLine line;

  void operator()(const Device& device) {
    line.add("report", "device");
    line.add("id", device.id);
    line.add("kind", device.kind);
    line.add_unless_empty("name", device.name);
    line.add_unless_empty("parent", device.parent);
    add(line, device.facts);
  }
  void operator()(const Link& link) {
    line.add("report", "link");
    line.add("from", link.from);
    line.add("to", link.to);
    line.add("kind", link.kind);
    add(line, link.facts);
  }
  void operator()(const Measurement& measurement) {
    line.add("report", "measurement");
    line.add("metric", measurement.metric);
    line.add_unless_empty("device", measurement.device);
    line.add("value", measurement.value);
    line.add("unit", measurement.unit);
    if (const auto& samples = measurement.samples) {
      line.open("samples");
      line.add("n", samples->n);
      line.add("low", samples->low);
      line.add("high", samples->high);
      line.add("worst", samples->worst);
      line.add("steady", samples->steady);
      line.close();
    }
    if (const auto& counted = measurement.counted) {
      line.open("counted");
      line.add("amount", counted->amount);
      line.add("nanoseconds", counted->nanoseconds);
      line.add("directions", counted->directions);
      line.close();
    }
  }
  void operator()(const Fault& fault) {
    line.add("report", "fault");
    line.add_unless_empty("device", fault.device);
    line.add("code", fault.code);
    line.add("text", fault.text);
  }
  void operator()(const Note& note) {
    line.add("report", "note");
    line.add("text", note.text);
  }
  void operator()(const Simulated& simulated) {
    line.add("report", "simulated");
    line.add("by", simulated.by);
  }
  void operator()(const Done&) { line.add("report", "done"); }
  void operator()(const Skipped& skipped) {
    line.add("report", "skip");
    line.add("why", skipped.why);
  }
  void operator()(const Troubled& troubled) {
    line.add("report", "trouble");
    line.add("why", troubled.why);
  }
};

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

}  // namespace

bool operator==(const Measurement& a, const Measurement& b) {
  return a.metric == b.metric && a.device == b.device && same(a.value, b.value) && a.unit == b.unit &&
         a.samples == b.samples && a.counted == b.counted;
}

bool is_last_word(const Report& report) {
  return std::holds_alternative<Done>(report) || std::holds_alternative<Skipped>(report) ||
         std::holds_alternative<Troubled>(report);
}

std::string encode(const Report& report) {
  Encoder encoder;
  std::visit(encoder, report);
  return std::move(encoder.line).text();
}

}  // namespace rackproof
