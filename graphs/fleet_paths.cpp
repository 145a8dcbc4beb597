// The second half of the search: single paths that are low between nodes that are not, and what such paths have in
// common.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "graphs/fleet_search.h"

namespace rackproof {

namespace {

constexpr double kFalseAlarm = 1e-5;

using Key = std::pair<std::size_t, std::size_t>;

struct Direction {
  std::set<std::size_t> low;  // rails
  std::size_t measured = 0;
};

// A part of which nothing is known yet but who it is.
Blame begun(Part part, std::size_t index, std::size_t all_rails) {
  Blame whole;
  whole.part = part;
  whole.index = index;
  whole.rail = all_rails;
  whole.outward = whole.inward = whole.reached = false;
  return whole;
}

// One more of its low paths, which leads out of it or comes in; a path that is low both ways does both.
void take_in(Blame& whole, const Blame& path, bool leads_out) {
  whole.outward = whole.outward || leads_out || path.inward;
  whole.inward = whole.inward || !leads_out || path.inward;
  whole.effect = std::min(whole.effect, path.effect);
  whole.z = std::max(whole.z, path.z);
  whole.paths += path.paths;
  whole.reached = whole.reached || path.reached;
  whole.some.emplace_back(path.index, path.other);
  if (path.inward) whole.some.emplace_back(path.other, path.index);
}

}  // namespace

void FleetSearch::measure_deviation() {
  std::vector<double> left;
  for (const Cell& cell : fleet.cells) {
    if (cell.reached && !cell.explained) left.push_back(cell.residual);
  }
  deviation = floor_;
  if (left.size() >= 4) {
    const double middle = plain_median(left);
    deviation = std::max(floor_, deviation_around(left, middle));
  }
}

void FleetSearch::low_paths() {
  std::vector<double> residual(fleet.cells.size(), 0);
  std::vector<double> usual;
  std::size_t looked_at = 0;
  for (std::size_t i = 0; i < fleet.cells.size(); ++i) {
    const Cell& cell = fleet.cells[i];
    if (cell.explained) continue;
    ++looked_at;
    // What an end is low everywhere is not the path's. With one partner an end cannot be told from its path.
    const double ends = std::min(0.0, sends_[cell.from]) + std::min(0.0, receives_[cell.to]);
    residual[i] = cell.reached ? cell.residual - ends : kNothing;
    if (cell.reached) usual.push_back(residual[i]);
  }
  if (looked_at == 0) return;
  double centre = 0;
  if (!usual.empty()) centre = usual.size() < 4 ? upper_median(usual) : plain_median(usual);
  measure_deviation();
  const double error = widening_ * deviation;
  const double needed = std::max(bounds.z, normal_bound(kFalseAlarm, looked_at));

  struct Low {
    Direction out, in;  // from the lower index to the higher, and back
    double effect = 0;
    double z = 0;
    std::size_t values = 0;
    bool reached = false;
  };
  std::map<Key, Low> pairs;
  std::vector<std::size_t> told;
  for (const bool second : {false, true}) {
    for (std::size_t i = 0; i < fleet.cells.size(); ++i) {
      const Cell& cell = fleet.cells[i];
      if (cell.explained) continue;
      const double effect = residual[i] - centre;
      const double z = -effect / error;
      const bool is_low = !cell.reached || (1 - std::exp(effect) >= bounds.least && z >= needed);
      if (is_low == second) continue;
      const Key key = std::minmax<std::size_t>(cell.from, cell.to);
      if (second && !pairs.contains(key)) continue;
      Low& low = pairs[key];
      Direction& direction = cell.from < cell.to ? low.out : low.in;
      ++direction.measured;
      if (second) continue;
      told.push_back(i);
      direction.low.insert(cell.rail);
      low.effect = std::min(low.effect, effect);
      low.z = std::max(low.z, z);
      low.values += cell.values;
      low.reached = low.reached || cell.reached;
    }
  }

  for (const std::size_t i : told) fleet.cells[i].explained = true;

  std::vector<Blame> paths;
  for (const auto& [key, low] : pairs) {
    const auto add = [&, one = key.first, other = key.second](std::size_t rail, bool out, bool in) {
      const bool back = in && !out;
      paths.push_back({.part = met_[one] < 2 || met_[other] < 2 ? Part::pair : Part::path,
                       .index = back ? other : one,
                       .other = back ? one : other,
                       .rail = rail,
                       .outward = true,
                       .inward = out && in,
                       .only_across = false,
                       .effect = low.effect,
                       .z = low.z,
                       .paths = low.values,
                       .units = 1,
                       .of = 0,
                       .reached = low.reached});
    };
    const bool whole = (low.out.low.empty() || low.out.low.size() == low.out.measured) &&
                       (low.in.low.empty() || low.in.low.size() == low.in.measured);
    if (whole) {
      add(fleet.rails.size(), !low.out.low.empty(), !low.in.low.empty());
      continue;
    }
    std::set<std::size_t> rails = low.out.low;
    rails.insert(low.in.low.begin(), low.in.low.end());
    for (const std::size_t rail : rails) add(rail, low.out.low.contains(rail), low.in.low.contains(rail));
  }
  gather_by_leaf(paths);
  gather_by_node(paths);
  blames.insert(blames.end(), paths.begin(), paths.end());
}

// An uplink of several is bad: the paths that happen to take it are low, from different nodes of the leaf.
void FleetSearch::gather_by_leaf(std::vector<Blame>& paths) {
  std::vector<std::set<Key>> crossing(fleet.leaves.size());
  for (const Cell& cell : fleet.cells) {
    if (!cell.across) continue;
    for (const auto node : {cell.from, cell.to})
      crossing[fleet.leaf_of[node]].insert(std::minmax<std::size_t>(cell.from, cell.to));
  }
  for (;;) {
    std::vector<std::set<std::size_t>> nodes(fleet.leaves.size());
    std::vector<std::size_t> low(fleet.leaves.size(), 0);
    for (const Blame& path : paths) {
      if (!fleet.knows_leaf(path.index) || !fleet.knows_leaf(path.other)) continue;
      if (fleet.leaf_of[path.index] == fleet.leaf_of[path.other]) continue;
      for (const std::size_t end : {path.index, path.other}) {
        nodes[fleet.leaf_of[end]].insert(end);
        ++low[fleet.leaf_of[end]];
      }
    }
    // The paths of one leaf end on many others, each of which has but a part of them.
    const auto most = std::max_element(low.begin(), low.end());
    if (most == low.end() || std::count(low.begin(), low.end(), *most) > 1) return;
    const auto leaf = static_cast<std::size_t>(most - low.begin());
    if (nodes[leaf].size() < 3 || 20 * *most < crossing[leaf].size()) return;
    Blame whole = begun(Part::leaf, leaf, fleet.rails.size());
    whole.only_across = true;
    whole.units = nodes[leaf].size();
    whole.of = crossing[leaf].size();
    std::erase_if(paths, [&](const Blame& path) {
      const bool from = fleet.leaf_of[path.index] == leaf;
      const bool to = fleet.leaf_of[path.other] == leaf;
      if (from == to) return false;
      take_in(whole, path, from);
      return true;
    });
    blames.push_back(whole);
  }
}

// A node that is low with some of its partners and not with others.
void FleetSearch::gather_by_node(std::vector<Blame>& paths) {
  for (;;) {
    std::vector<std::set<std::size_t>> low(fleet.nodes);
    for (const Blame& path : paths) {
      low[path.index].insert(path.other);
      low[path.other].insert(path.index);
    }
    std::size_t worst = 0;
    for (std::size_t i = 0; i < low.size(); ++i) {
      if (low[i].size() > low[worst].size()) worst = i;
    }
    if (low.empty() || low[worst].size() < 2 || 10 * low[worst].size() < 3 * partners_[worst]) return;
    bool all_cross = fleet.knows_leaf(worst);
    for (const std::size_t partner : low[worst]) {
      if (low[partner].size() == low[worst].size()) return;  // either could be meant
      if (!fleet.knows_leaf(partner) || fleet.leaf_of[partner] == fleet.leaf_of[worst]) all_cross = false;
    }
    if (all_cross) return;  // an uplink, as likely
    Blame whole = begun(Part::node, worst, fleet.rails.size());
    whole.units = low[worst].size();
    whole.of = partners_[worst];
    std::erase_if(paths, [&](const Blame& path) {
      if (path.index != worst && path.other != worst) return false;
      take_in(whole, path, path.index == worst);
      return true;
    });
    whole.part = whole.outward && whole.inward ? Part::node : whole.outward ? Part::sends : Part::receives;
    blames.push_back(whole);
  }
}

// Both sides of a node are the node, all its rails too; both directions of a rail or a leaf are that rail or leaf.
void FleetSearch::merge() {
  const auto join = [](Blame& into, const Blame& one) {
    into.outward = into.outward || one.outward;
    into.inward = into.inward || one.inward;
    into.effect = std::min(into.effect, one.effect);
    into.z = std::max(into.z, one.z);
    into.paths += one.paths;
    into.units = std::max(into.units, one.units);
    into.of = std::max(into.of, one.of);
    into.reached = into.reached || one.reached;
  };
  const auto side = [](const Blame& one) {
    return one.outward && one.inward ? Part::node : one.outward ? Part::sends : Part::receives;
  };
  const auto is_of_node = [](const Blame& one) {
    return one.part == Part::node || one.part == Part::sends || one.part == Part::receives;
  };
  std::vector<Blame> merged;
  std::map<std::pair<int, Key>, std::size_t> known;  // kind, (index, rail)
  for (const Blame& one : blames) {
    if (one.part == Part::path || one.part == Part::pair) {
      merged.push_back(one);
      continue;
    }
    const int kind = one.part == Part::leaf ? 1 : one.part == Part::rail ? 2 : 3;
    const auto [at, is_new] = known.try_emplace({kind, {one.index, one.rail}}, merged.size());
    if (is_new) {
      merged.push_back(one);
      continue;
    }
    Blame& into = merged[at->second];
    join(into, one);
    into.only_across = into.only_across && one.only_across;
    if (is_of_node(into)) into.part = side(into);
  }
  std::map<std::size_t, std::vector<std::size_t>> by_node;
  for (std::size_t i = 0; i < merged.size(); ++i) {
    if (merged[i].part == Part::rail) by_node[merged[i].index].push_back(i);
  }
  std::set<std::size_t> gone;
  for (const auto& [node, rails] : by_node) {
    if (rails.size() < std::max<std::size_t>(2, fleet.rails.size())) continue;
    Blame& first = merged[rails[0]];
    const bool alike = std::all_of(rails.begin(), rails.end(), [&](std::size_t i) {
      return merged[i].outward == first.outward && merged[i].inward == first.inward;
    });
    if (!alike) continue;
    for (const std::size_t i : rails) {
      if (i == rails[0]) continue;
      join(first, merged[i]);
      gone.insert(i);
    }
    first.rail = fleet.rails.size();
    first.part = side(first);
  }
  blames.clear();
  for (std::size_t i = 0; i < merged.size(); ++i) {
    if (!gone.contains(i)) blames.push_back(merged[i]);
  }
}

}  // namespace rackproof
