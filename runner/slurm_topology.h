// Where nodes hang, as Slurm knows it.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace rackproof {

struct SlurmPlace {
  std::string leaf;  // the switch that the node hangs on; empty: not known
  std::string rack;  // the switch above that one; empty: there is none
  bool operator==(const SlurmPlace&) const = default;
};

// By node, from what `scontrol show topology` prints:
//   SwitchName=leaf1 Level=0 LinkSpeed=1 Nodes=rp[01-02]
//   SwitchName=rack1 Level=1 LinkSpeed=1 Nodes=rp[01-04] Switches=leaf[1-2]
// Lines of other forms are passed over: a site without a topology has none.
std::map<std::string, SlurmPlace, std::less<>> parse_topology(std::string_view);

}  // namespace rackproof
