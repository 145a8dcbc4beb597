#include "graphs/fleet_search.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace rackproof {

namespace {

// How often any part of one kind of a healthy fleet may be found low by chance.
constexpr double kFalseAlarm = 1e-5;
// A residual below this is of something that was not reached, or as good as that; it says nothing of usual spreads.
constexpr double kGone = -3;
// Efficiency of a median: sqrt(pi / 2).
constexpr double kMedianError = 1.2533;
constexpr std::size_t kSweeps = 60;

double share(double effect) { return 1 - std::exp(effect); }

}  // namespace

struct FleetSearch::Candidate {
  Blame blame;
  double gain = 0;  // how much less is unexplained once this part is blamed
  std::size_t kind = 0;
  std::size_t at = 0;  // index of the part in its kind
};

FleetSearch::FleetSearch(FleetCells& cells, const FleetBounds& given) : fleet(cells), bounds(given) {
  least_ = bounds.least;
  floor_ = std::max({bounds.repeatability, fleet.spread, 1e-9});
  std::vector<std::set<std::uint32_t>> partners(fleet.nodes);
  for (const Cell& cell : fleet.cells) {
    partners[cell.from].insert(cell.to);
    partners[cell.to].insert(cell.from);
  }
  for (const auto& met : partners) met_.push_back(static_cast<std::uint32_t>(met.size()));

  const std::vector<PartCells> kinds = parts_of(fleet);
  // By what nodes achieve as long as there are bad ones, of which each spoils the paths of many; then, with these out
  // of the way, by all paths alike, which is finer.
  std::size_t sweeps = 0;
  do {
    fleet.level_by_nodes();
    side_effects();
  } while (sweep(kinds) && ++sweeps < kSweeps);
  do {
    fleet.level_by_cells();
    side_effects();
  } while (sweep(kinds) && ++sweeps < kSweeps);
  fleet.level_by_cells();
  side_effects();
  low_paths();
  merge();
  doubt(kinds);
}

void FleetSearch::doubt(const std::vector<PartCells>& kinds) {
  std::vector<Blame> sure = std::move(blames);
  blames.clear();
  least_ *= kDoubtful;
  std::size_t sweeps = 0;
  do {
    fleet.level_by_nodes();
    side_effects();
    widening_ = 1;
  } while (sweep(kinds) && ++sweeps < kSweeps);
  fleet.level_by_cells();
  if (!blames.empty()) measure_deviation();
  merge();
  for (Blame& one : blames) one.sure = false;
  blames.insert(blames.begin(), sure.begin(), sure.end());
}

void FleetSearch::side_effects() {
  std::vector<std::vector<std::pair<std::uint32_t, double>>> out(fleet.nodes);
  std::vector<std::vector<std::pair<std::uint32_t, double>>> in(fleet.nodes);
  for (const Cell& cell : fleet.cells) {
    if (cell.explained) continue;
    out[cell.from].emplace_back(cell.to, cell.residual);
    in[cell.to].emplace_back(cell.from, cell.residual);
  }
  std::size_t pairs = 0;
  std::size_t active = 0;
  partners_.assign(fleet.nodes, 0);
  const auto effect = [&](std::vector<std::pair<std::uint32_t, double>>& cells) {
    std::sort(cells.begin(), cells.end());
    std::vector<double> units;
    std::vector<double> unit;
    for (std::size_t i = 0; i < cells.size();) {
      const std::uint32_t partner = cells[i].first;
      unit.clear();
      for (; i < cells.size() && cells[i].first == partner; ++i) unit.push_back(cells[i].second);
      units.push_back(plain_median(unit));
    }
    return units.size() < 2 ? 0 : upper_median(units);
  };
  const auto centred = [](std::vector<double> effects) {
    std::vector<double> usual;
    for (const double one : effects) {
      if (one > kGone) usual.push_back(one);
    }
    const double centre = usual.empty() ? 0 : plain_median(usual);
    for (double& one : effects) one -= centre;
    return effects;
  };
  sends_.clear();
  receives_.clear();
  for (std::size_t node = 0; node < fleet.nodes; ++node) {
    std::set<std::uint32_t> met;
    for (const auto& [partner, residual] : out[node]) met.insert(partner);
    for (const auto& [partner, residual] : in[node]) met.insert(partner);
    partners_[node] = static_cast<std::uint32_t>(met.size());
    pairs += met.size();
    if (!met.empty()) ++active;
    sends_.push_back(effect(out[node]));
    receives_.push_back(effect(in[node]));
  }
  sends_ = centred(std::move(sends_));
  receives_ = centred(std::move(receives_));

  pairs /= 2;
  // What is left to tell the spread from once each node has an effect of its own. Few nodes with few partners leave
  // nothing; many nodes are at least known by how they differ.
  const double spare = pairs > active ? static_cast<double>(pairs - active) : 0;
  const double others = active > 4 ? static_cast<double>(active - 4) : 0;
  widening_ = 1 + 10 / (std::max(spare, others) + 2);
  understated_ = std::min(2.0, std::sqrt(static_cast<double>(pairs) / std::max(spare, 1.0)));
}

void FleetSearch::candidates_of(const PartCells& kind, std::vector<Candidate>& found) {
  const bool is_leaf = kind.part == Part::leaf;
  std::vector<double> score(kind.parts(), 0);
  std::vector<std::size_t> count(kind.parts(), 0);
  std::vector<double> left_over;  // of units, once their parts' effects are taken out
  std::vector<double> units;
  std::vector<double> unit;
  std::vector<double> polished;
  for (std::size_t part = 0; part < kind.parts(); ++part) {
    units.clear();
    const std::size_t first = left_over.size();
    for (std::size_t i = kind.begin[part]; i < kind.begin[part + 1];) {
      const std::uint32_t key = kind.unit[i];
      unit.clear();
      polished.clear();
      for (; i < kind.begin[part + 1] && kind.unit[i] == key; ++i) {
        const Cell& cell = fleet.cells[kind.cell[i]];
        if (cell.explained) continue;
        unit.push_back(cell.residual);
        polished.push_back(cell.residual - sends_[cell.from] - receives_[cell.to]);
      }
      if (unit.empty()) continue;
      units.push_back(plain_median(unit));
      left_over.push_back(is_leaf ? units.back() : plain_median(polished));
    }
    count[part] = units.size();
    if (units.size() < kind.least_units) {
      left_over.resize(first);
      continue;
    }
    if (is_leaf) {
      // A leaf is low when its nodes are, three of four at least.
      const std::size_t at = 3 * units.size() / 4;
      std::nth_element(units.begin(), units.begin() + static_cast<std::ptrdiff_t>(at), units.end());
      score[part] = units[at];
      for (std::size_t i = first; i < left_over.size(); ++i) left_over[i] -= score[part];
    } else {
      score[part] = upper_median(units);
    }
  }
  std::vector<double> usual;
  std::size_t compared = 0;
  for (std::size_t part = 0; part < kind.parts(); ++part) {
    if (count[part] < kind.least_units) continue;
    ++compared;
    if (score[part] > kGone) usual.push_back(score[part]);
  }
  if (compared < 2) return;
  double centre = 0;
  if (!usual.empty()) centre = usual.size() <= 4 ? upper_median(usual) : plain_median(usual);
  // Four parts or fewer do not tell how parts differ: one or two of them may be bad.
  const double between = usual.size() <= 4 ? 0 : deviation_around(usual, centre);
  const double middle = plain_median(left_over);
  const double within = std::max(floor_, understated_ * deviation_around(left_over, middle));
  const double needed = std::max(bounds.z, normal_bound(kFalseAlarm, compared));

  for (std::size_t part = 0; part < kind.parts(); ++part) {
    if (count[part] < kind.least_units) continue;
    const double effect = score[part] - centre;
    if (share(effect) < least_) continue;
    const double error = kMedianError * within / std::sqrt(static_cast<double>(count[part]));
    const double z = -effect / (widening_ * std::max(between, error));
    if (z < needed) continue;
    Candidate one;
    one.at = part;
    one.blame = {.part = kind.part,
                 .index = part,
                 .other = 0,
                 .rail = fleet.rails.size(),
                 .outward = kind.outward,
                 .inward = kind.inward,
                 .only_across = kind.only_across,
                 .effect = effect,
                 .z = z,
                 .paths = 0,
                 .units = count[part],
                 .of = 0,
                 .reached = false};
    if (kind.part == Part::rail) {
      one.blame.index = part / fleet.rails.size();
      one.blame.rail = part % fleet.rails.size();
    }
    for (std::size_t i = kind.begin[part]; i < kind.begin[part + 1]; ++i) {
      const Cell& cell = fleet.cells[kind.cell[i]];
      if (cell.explained) continue;
      // A path inside a leaf is there once for each of its ends.
      const bool twice = is_leaf && !kind.only_across && fleet.leaf_of[cell.from] == fleet.leaf_of[cell.to];
      one.gain += (std::abs(cell.residual) - std::abs(cell.residual - effect)) / (twice ? 2 : 1);
      one.blame.paths += cell.values;
      if (cell.reached) one.blame.reached = true;
    }
    if (one.gain > 0) found.push_back(one);
  }
}

bool FleetSearch::sweep(const std::vector<PartCells>& kinds) {
  std::vector<Candidate> found;
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    const std::size_t first = found.size();
    candidates_of(kinds[kind], found);
    for (std::size_t i = first; i < found.size(); ++i) found[i].kind = kind;
  }
  std::stable_sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) { return a.gain > b.gain; });
  // Who shares a cell with one that explains more waits for the next sweep, where that cell no longer counts.
  std::vector<bool> taken(fleet.cells.size(), false);
  bool any = false;
  for (const Candidate& one : found) {
    const PartCells& kind = kinds[one.kind];
    const auto each = [&](auto&& act) {
      for (std::size_t i = kind.begin[one.at]; i < kind.begin[one.at + 1]; ++i) act(kind.cell[i]);
    };
    bool free = true;
    each([&](std::uint32_t cell) { free = free && !taken[cell]; });
    each([&](std::uint32_t cell) { taken[cell] = true; });
    if (!free) continue;
    each([&](std::uint32_t cell) { fleet.cells[cell].explained = true; });
    blames.push_back(one.blame);
    any = true;
  }
  return any;
}

}  // namespace rackproof
