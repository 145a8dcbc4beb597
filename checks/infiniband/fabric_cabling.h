// The expected cabling: a file of lines "node port  node port [4xNDR]", or a topology that ibnetdiscover wrote earlier.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checks/infiniband/fabric_model.h"
#include "checks/infiniband/fabric_names.h"

namespace rackproof {

struct ExpectedNode {
  std::string name;  // empty: by GUID alone
  std::optional<std::uint64_t> guid;
};

struct ExpectedLink {
  ExpectedNode a;
  int a_port = 0;
  ExpectedNode b;
  int b_port = 0;
  LinkRate rate;
  int line = 0;  // 0: from a topology
};

// Throws Trouble, "FILE:LINE: why", for a text that is neither.
std::vector<ExpectedLink> parse_cabling(std::string_view text, const std::string& file);

struct Cabling {
  std::vector<FabricLink> links;     // a node that the fabric does not show has a GUID of its own here
  std::vector<std::string> remarks;  // for people: nodes that were found by name under another GUID
};

// Finds the nodes of the cabling in the fabric: by GUID (of a node or port), else by name. Throws Trouble for a name that
// several nodes have, and when two lines name the same end.
Cabling resolve(const std::vector<ExpectedLink>&, const Fabric&, FabricNames&, const std::string& file);

}  // namespace rackproof
