// What is reported of one round over a group of nodes: by its first member of the group, by each of them of its own GPUs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/nccl/collective.h"
#include "checks/nccl/graph_xml.h"
#include "checks/nccl/group_round.h"
#include "checks/nccl/size_results.h"

namespace rackproof {

class GroupReport {
 public:
  GroupReport(GroupNode&, const GroupPlan&, Collective);

  void begin();    // the group as a device
  void started();  // what NCCL made of it
  void reached(std::vector<SizeResult>&, std::size_t largest, double errors);
  // `errors`: of data, as far as there was any.
  void failed(const std::string& why, std::optional<double> errors = std::nullopt);

  std::string node_of(int rank) const;

 private:
  void adapters(const Measurement& busbw);

  GroupNode& node_;
  const GroupPlan& plan_;
  const Collective what_;
  std::string id_;
  std::optional<NcclBudget> budget_;
  std::size_t adapters_ = 0;
};

}  // namespace rackproof
