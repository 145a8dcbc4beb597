#include "tests/simulator/flows.h"

#include <algorithm>
#include <limits>

namespace rackproof::simulator {

ResourceId Resources::add(std::string name, double capacity_per_ns) {
  all_.push_back({std::move(name), capacity_per_ns, 0});
  return static_cast<ResourceId>(all_.size()) - 1;
}

void Resources::set_capacity(ResourceId id, double capacity_per_ns) {
  all_[static_cast<std::size_t>(id)].capacity = capacity_per_ns;
}

bool Resources::enter(Flow& flow) {
  bool is_shared = false;
  double rate = flow.rate_cap > 0 ? flow.rate_cap : std::numeric_limits<double>::infinity();
  for (const ResourceId id : flow.path) {
    Resource& one = all_[static_cast<std::size_t>(id)];
    is_shared = is_shared || one.users > 0;
    ++one.users;
    rate = std::min(rate, one.capacity);
  }
  flow.rate = rate;
  return is_shared;
}

bool Resources::leave(Flow& flow) {
  bool was_shared = false;
  for (const ResourceId id : flow.path) {
    Resource& one = all_[static_cast<std::size_t>(id)];
    --one.users;
    was_shared = was_shared || one.users > 0;
  }
  return was_shared;
}

// Progressive filling: the resource with the least room for each of its users decides their rate; then the next.
void Resources::share(const std::vector<Flow*>& flows) const {
  std::vector<double> left(all_.size());
  std::vector<int> users(all_.size(), 0);
  for (std::size_t i = 0; i < all_.size(); ++i) left[i] = all_[i].capacity;
  std::vector<Flow*> open = flows;
  for (const Flow* flow : open) {
    for (const ResourceId id : flow->path) ++users[static_cast<std::size_t>(id)];
  }
  while (!open.empty()) {
    double least = std::numeric_limits<double>::infinity();
    for (const Flow* flow : open) {
      if (flow->rate_cap > 0) least = std::min(least, flow->rate_cap);
      for (const ResourceId id : flow->path) {
        const auto i = static_cast<std::size_t>(id);
        least = std::min(least, left[i] / users[i]);
      }
    }
    const double bound = least * (1 + 1e-9);
    const auto is_bound = [&](const Flow* flow) {
      return (flow->rate_cap > 0 && flow->rate_cap <= bound) || std::ranges::any_of(flow->path, [&](ResourceId id) {
               const auto i = static_cast<std::size_t>(id);
               return left[i] / users[i] <= bound;
             });
    };
    std::vector<Flow*> settled;
    for (Flow* flow : open) {
      if (is_bound(flow)) settled.push_back(flow);
    }
    for (Flow* flow : settled) {
      flow->rate = least;
      for (const ResourceId id : flow->path) {
        const auto i = static_cast<std::size_t>(id);
        left[i] = std::max(0.0, left[i] - least);
        --users[i];
      }
    }
    std::erase_if(open, [&](Flow* flow) { return std::ranges::find(settled, flow) != settled.end(); });
  }
}

}  // namespace rackproof::simulator
