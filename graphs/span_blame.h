// Lays what paths and groups miss to the part that accounts for it: a node, or the fabric where it is nobody's own.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "graphs/event.h"
#include "graphs/fleet.h"
#include "graphs/span_evidence.h"

namespace rackproof {

// Whether a metric is a rate or a time that the fleet can be compared by, and not a count.
bool is_compared(const Step&, const std::string& metric);

// The bounds that the run was given, and the expectation's own.
FleetFinding first_pass(const Run&, const Step&, const SpanEvidence&, const Expectation&);

struct FleetVerdict {
  std::vector<Suspicion> suspicions;  // that the second pass bears out, where there was one
  std::size_t values = 0;
};
FleetVerdict compare_fleet(const Run&, const Step&, const SpanEvidence&, const Expectation&);

// A limit missed, by the trial that reports it.
struct Miss {
  std::size_t trial = 0;
  Finding finding;
};

class SpanBlame {
 public:
  SpanBlame(const Run&, const SpanEvidence&);

  // Whether a miss is on a path or a group, and so not yet anybody's.
  bool is_shared(const Miss&) const;

  void charge(std::size_t trial, Finding);
  void charge(const Suspicion&, Finding);
  // First to the suspicions that account for them; then to nodes that miss with at least two partners and half of all
  // they met; what is left, to the path.
  void lay(std::vector<Miss>, const std::vector<Suspicion>&);
  // Where more nodes are charged than the run lets be blamed, it is what they share.
  void settle();

  // What a trial is charged with.
  std::vector<Finding>& charged(std::size_t trial) { return charged_[trial]; }

 private:
  void lay_paths(std::vector<Miss>, const std::vector<Suspicion>&);
  void lay_groups(std::vector<Miss>);
  // A node that may be bad, and is not said to be: it has not passed either.
  void leave_open(std::size_t node, Finding, std::string_view why);
  double most_blamed() const;
  void charge_node(std::size_t node, std::vector<const Miss*>, const std::string& with);

  const Run& run_;
  const SpanEvidence& evidence_;
  std::map<std::string, const PathReading*, std::less<>> paths_;  // by device
  std::map<std::string, const SpanGroup*, std::less<>> groups_;   // by device
  std::map<std::size_t, std::vector<Finding>> charged_;           // by trial
  std::set<std::tuple<std::size_t, std::string, Outcome>> left_open_;  // node, metric
  std::map<std::size_t, std::vector<Finding>> shared_;  // by node: what it is charged with for paths and groups
};

}  // namespace rackproof
