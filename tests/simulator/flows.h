// How what happens at once shares what it needs: a copy uses a lane to its GPU, an uplink, a bridge between the packages;
// a kernel uses a GPU's arithmetic or its memory. Each gets the largest fair share of the scarcest of them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace rackproof::simulator {

using ResourceId = int;

struct Flow {
  std::vector<ResourceId> path;  // of one direction each; without one, `rate_cap` alone bounds it
  double rate_cap = 0;           // 0: none
  double rate = 0;               // result, in units of amount per ns
};

class Resources {
 public:
  ResourceId add(std::string name, double capacity_per_ns);
  void set_capacity(ResourceId, double capacity_per_ns);
  double capacity(ResourceId id) const { return all_[static_cast<std::size_t>(id)].capacity; }

  // Shares everything among these flows: max-min fair.
  void share(const std::vector<Flow*>&) const;
  // Puts a flow among the others, or takes it away; true when somebody else's share changes by that.
  bool enter(Flow&);
  bool leave(Flow&);

 private:
  struct Resource {
    std::string name;
    double capacity = 0;
    int users = 0;
  };
  std::vector<Resource> all_;
};

}  // namespace rackproof::simulator
