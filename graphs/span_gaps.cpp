#include "graphs/span_gaps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace rackproof {
namespace {

constexpr std::size_t kFewestCompared = 3;

bool is_steady(const Measurement& measurement) { return !measurement.samples || measurement.samples->steady; }

struct Seen {
  bool sends = false;
  bool receives = false;
};

using SeenOfNode = std::map<std::string, Seen>;  // by rail

bool has_two_directions(const SpanEvidence& evidence, const std::string& metric) {
  std::set<std::pair<std::size_t, std::size_t>> ways;
  for (const PathReading& reading : evidence.paths) {
    if (reading.measurement->metric == metric) ways.emplace(reading.from, reading.to);
  }
  return std::ranges::any_of(ways, [&](const auto& way) { return ways.contains({way.second, way.first}); });
}

std::string lacking(const Seen& seen, bool both) {
  if (!seen.sends && !seen.receives) return "what it sends or receives";
  if (!both || (seen.sends && seen.receives)) return "";
  return seen.sends ? "what it receives" : "what it sends";
}

}  // namespace

std::vector<SpanGap> span_gaps(const SpanEvidence& evidence, const std::string& metric) {
  const bool both = has_two_directions(evidence, metric);
  std::set<std::string> rails;
  std::vector<SeenOfNode> seen(evidence.nodes.size());
  for (const PathReading& reading : evidence.paths) {
    const Measurement& measurement = *reading.measurement;
    if (measurement.metric != metric) continue;
    rails.insert(reading.rail);
    if (!is_steady(measurement) || !std::isfinite(measurement.value)) continue;
    seen[reading.from][reading.rail].sends = true;
    seen[reading.to][reading.rail].receives = true;
  }
  if (rails.empty()) rails.insert("");

  std::vector<SpanGap> gaps;
  std::vector<std::size_t> compared;
  for (std::size_t node = 0; node < evidence.nodes.size(); ++node) {
    if (evidence.ended_badly[node]) continue;
    std::string lacks;
    for (const std::string& rail : rails) {
      const std::string of = lacking(seen[node][rail], both);
      if (of.empty()) continue;
      lacks = fmt::format("no steady {} of {}{}", metric, of, rail.empty() ? "" : " on " + rail);
      break;
    }
    if (lacks.empty()) {
      compared.push_back(node);
    } else {
      gaps.push_back({node, std::move(lacks)});
    }
  }
  if (compared.size() >= kFewestCompared) return gaps;
  const std::size_t nodes = evidence.nodes.size();
  const std::string why =
      nodes < kFewestCompared
          ? fmt::format("no comparison by {} among {} nodes, it takes {}: only a limit of its own can be held against it",
                        metric, nodes, kFewestCompared)
          : fmt::format("no comparison by {}: only {} of {} nodes have steady figures, and it takes {}", metric,
                        compared.size(), nodes, kFewestCompared);
  for (const std::size_t node : compared) gaps.push_back({node, why});
  return gaps;
}

}  // namespace rackproof
