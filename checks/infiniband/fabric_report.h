// Tells of a fabric: its parts, its links, what differs from the cabling, and what its ports counted.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/infiniband/fabric_compare.h"
#include "checks/infiniband/fabric_counters.h"
#include "checks/infiniband/fabric_model.h"
#include "checks/infiniband/fabric_names.h"

namespace rackproof {

struct FabricEvidence {
  Fabric fabric;
  std::optional<std::vector<FabricFinding>> findings;  // nullopt: there was no cabling to compare with
  std::optional<CounterReading> before;
  std::optional<CounterReading> after;  // nullopt: no window
};

// A run takes a bounded number of reports from one trial, so a fabric of more than `kMostDetailed` links is told in brief:
// all nodes, of the links those that have something to say, and of the rest the lowest figures, once.
class FabricReport {
 public:
  static constexpr std::size_t kMostDetailed = 2'000;
  static constexpr const char* kFabric = "ib-fabric";  // the device that stands for the whole

  FabricReport(Context& context, const FabricEvidence& evidence, const FabricNames& names);
  void tell();

 private:
  void tell_nodes();
  void tell_links();
  void tell_link(const FabricLink&);
  void tell_port(const FabricEnd&);
  void tell_rest(const std::vector<const FabricLink*>&);
  void tell_findings();
  void tell_counters();
  void tell_counter(const std::string& metric, const std::vector<std::size_t>& counters, bool is_total);
  void note_rises();
  bool is_below_capable(const FabricLink&) const;
  std::set<FabricEnd> noteworthy_ends() const;
  std::string place_of(const FabricEnd&);

  Context& context_;
  const FabricEvidence& evidence_;
  const Fabric& fabric_;
  const FabricNames& names_;
  std::map<FabricEnd, const FabricLink*> link_at_;
  std::set<std::string> told_;  // ports and cables
};

}  // namespace rackproof
