#include "tests/bench/fleet_sim_fabric.h"

#include <algorithm>
#include <cmath>

namespace rackproof::simulated {

namespace {

constexpr int kRails = 4;
constexpr std::size_t kUplinks = 8;
// What is left by each fault.
constexpr double kNode = 0.90;
constexpr double kNic = 0.80;
constexpr double kCable = 0.90;
constexpr double kUplink = 0.85;
constexpr double kLossy = 0.50;

std::uint64_t hash(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

const char* to_text(Fault fault) {
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::node:
      return "slow node";
    case Fault::nic:
      return "slow NIC";
    case Fault::cable:
      return "slow cable";
    case Fault::uplink:
      return "slow uplinks";
    case Fault::lossy:
      return "lossy path";
    case Fault::two:
      return "two at once";
  }
  return "";
}

Fabric::Fabric(std::size_t nodes, Fault fault, double noise, std::uint64_t seed)
    : fault_(fault), noise_(noise), random_(seed) {
  const std::size_t per_leaf = nodes <= 64 ? 4 : 32;
  for (std::size_t i = 0; i < nodes; ++i) {
    leaf_.push_back(i / per_leaf);
    places_.push_back({"n" + std::to_string(i), "leaf" + std::to_string(i / per_leaf), ""});
  }
  node_ = random_() % nodes;
  other_ = (node_ + 1 + random_() % (nodes - 1)) % nodes;
  bad_leaf_ = leaf_[node_];
  if (fault == Fault::node || fault == Fault::nic || fault == Fault::cable || fault == Fault::two) bad_.insert(node_);
  if (fault == Fault::two) bad_.insert(other_);
}

std::vector<FleetNode> Fabric::nodes() const {
  std::vector<FleetNode> all;
  for (const NodePlace& place : places_) all.push_back({place.node, place.leaf, {}});
  return all;
}

// The pair's flow is laid on one of its leaf's uplinks, as static routing does.
bool Fabric::takes_lossy(std::size_t from, std::size_t to) const {
  if (leaf_[from] == leaf_[to] || (leaf_[from] != bad_leaf_ && leaf_[to] != bad_leaf_)) return false;
  return hash(from * 1000003 + to) % kUplinks == 0;
}

double Fabric::share(std::size_t from, std::size_t to, int rail) const {
  double left = 1;
  const auto at_most = [&](double share) { left = std::min(left, share); };
  const bool meets = from == node_ || to == node_;
  switch (fault_) {
    case Fault::none:
      break;
    case Fault::node:
      if (meets) at_most(kNode);
      break;
    case Fault::nic:
      if (meets && rail == 1) at_most(kNic);
      break;
    case Fault::cable:
      if (to == node_) at_most(kCable);
      break;
    case Fault::uplink:
      if (leaf_[from] != leaf_[to] && (leaf_[from] == bad_leaf_ || leaf_[to] == bad_leaf_)) at_most(kUplink);
      break;
    case Fault::lossy:
      if (takes_lossy(from, to)) at_most(kLossy);
      break;
    case Fault::two:
      if (meets) at_most(kNode);
      if (to == other_) at_most(kCable);
      break;
  }
  return left;
}

double Fabric::carries(std::size_t from, std::size_t to, int rail) {
  double left = 0;
  if (rail >= 0)
    left = share(from, to, rail);
  else
    for (int i = 0; i < kRails; ++i) left += share(from, to, i) / kRails;
  // Loss hits one time more, another less.
  const double noise = fault_ == Fault::lossy && left < 1 ? 5 * noise_ : noise_;
  return 100 * left * std::exp(noise * normal_(random_));
}

std::vector<PathValue> Fabric::measured(const Rounds& rounds, bool rail_by_rail) {
  std::vector<PathValue> values;
  for (const auto& round : rounds) {
    for (const auto& pair : round) {
      for (const auto& [from, to] : {std::pair(pair[0], pair[1]), std::pair(pair[1], pair[0])}) {
        if (!rail_by_rail)
          values.push_back({from, to, "", carries(from, to), 0, true});
        else
          for (int rail = 0; rail < kRails; ++rail)
            values.push_back({from, to, "mlx5_" + std::to_string(rail), carries(from, to, rail), 0, true});
      }
    }
  }
  return values;
}

bool Fabric::is_right(const Suspicion& one) const {
  switch (one.part) {
    case Part::node:
    case Part::sends:
    case Part::receives:
      return bad_.contains(one.nodes[0]);
    case Part::rail:
      return bad_.contains(one.nodes[0]) && one.rail == "mlx5_1";
    case Part::leaf:
      return (fault_ == Fault::uplink || fault_ == Fault::lossy) && leaf_[one.nodes[0]] == bad_leaf_;
    case Part::path:
      return fault_ == Fault::lossy &&
             (takes_lossy(one.nodes[0], one.nodes[1]) || takes_lossy(one.nodes[1], one.nodes[0]));
    default:
      return false;
  }
}

bool Fabric::is_detected(const std::vector<Suspicion>& suspicions) const {
  std::set<std::size_t> named;
  bool any = false;
  for (const Suspicion& one : suspicions) {
    if (!is_right(one)) continue;
    any = true;
    named.insert(one.nodes.begin(), one.nodes.end());
  }
  return any && std::includes(named.begin(), named.end(), bad_.begin(), bad_.end());
}

}  // namespace rackproof::simulated
