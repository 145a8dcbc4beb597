// What the nodes of a step that spans nodes measured together: paths between two of them, and groups.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "graphs/fleet.h"
#include "graphs/run.h"

namespace rackproof {

// The devices on which a check reports them, and the facts that say between whom (checks/api/ranks.h has the members):
// kind "path" with facts from, to and, of one rail, rail; kind "group" with facts members ("a,b,c"); both with round.
struct PathReading {
  const Measurement* measurement = nullptr;
  std::size_t trial = 0;  // that reports it
  std::size_t from = 0;   // index into SpanEvidence::nodes
  std::size_t to = 0;
  std::string rail;
  bool confirms = false;  // of a second pass
};

struct SpanGroup {
  std::size_t trial = 0;  // that reports it
  std::string device;
  std::vector<std::size_t> members;
  std::int64_t round = 0;
};

struct SpanEvidence {
  std::vector<FleetNode> nodes;         // that were tried
  std::vector<std::size_t> trials;      // of the nodes
  std::vector<bool> ended_badly;        // by node: what others measured with it says nothing of them
  std::vector<PathReading> paths;       // less those with a node that ended badly
  std::set<std::string, std::less<>> cut_off;  // the devices of those
  std::vector<SpanGroup> groups;
  std::size_t fabric = 0;               // the trial of the fabric; run.trials.size() when there is none

  std::size_t find(std::string_view node) const;  // nodes.size() when it was not tried

 private:
  friend SpanEvidence span_evidence(const Run&, std::size_t step, const std::vector<std::size_t>& ended_badly);
  std::map<std::string, std::size_t, std::less<>> index_;
};

// Of the trials that have begun. Such as go on, and have ended badly all the same, are given.
SpanEvidence span_evidence(const Run&, std::size_t step, const std::vector<std::size_t>& ended_badly = {});

// Whether a trial measured this metric, or any where none is named, on this device or on any.
bool measures(const TrialRecord&, std::string_view metric, std::string_view device = {});

// The path a device's id names, whoever reports it: "path:a>b".
inline constexpr const char* kPathKind = "path";
inline constexpr const char* kGroupKind = "group";

// A metric's values for the fleet's analysis, of the first pass or of the second; `reached` tells which were not.
std::vector<PathValue> path_values(const SpanEvidence&, std::string_view metric, bool confirming);

}  // namespace rackproof
