// What of the first pass's suspicions the second pass bears out.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "graphs/fleet_second_pass.h"
#include "graphs/fleet_words.h"

namespace rackproof {

namespace {

// Of the first shortfall the second must show at least half.
constexpr double kPersists = 0.5;
constexpr double kSecondZ = 3;

// The second pass's residuals against the first pass's levels, moved by what the controls show.
class SecondPass {
 public:
  SecondPass(const FleetFinding& first, const std::vector<FleetNode>& nodes, const std::vector<PathValue>& values,
             const FleetBounds& bounds)
      : nodes_(nodes), suspects_(concerned(first)), bounds_(bounds) {
    error_ = std::max({first.deviation, bounds.repeatability, 1e-9});
    std::map<std::pair<std::string, bool>, double> levels;
    for (const FleetLevel& level : first.levels) levels[{level.rail, level.across}] = level.value;
    std::vector<double> controls;
    for (const PathValue& value : values) {
      if (value.from >= nodes.size() || value.to >= nodes.size() || value.from == value.to) continue;
      if (value.reached && !(value.value > 0 && std::isfinite(value.value))) continue;
      const std::string& from = nodes[value.from].leaf;
      const std::string& to = nodes[value.to].leaf;
      const bool across = !from.empty() && !to.empty() && from != to;
      auto level = levels.find({value.rail, across});
      if (level == levels.end()) level = levels.find({value.rail, !across});
      if (value.reached && level == levels.end()) continue;
      double residual = kNothing;
      if (value.reached) residual = std::log(value.value / level->second) * (bounds.higher_is_better ? 1 : -1);
      rows_.push_back({value, residual});
      if (value.reached && !suspects_.contains(value.from) && !suspects_.contains(value.to))
        controls.push_back(residual);
    }
    if (controls.size() >= 3) {
      const double moved = plain_median(controls);
      for (Row& row : rows_) {
        if (row.value.reached) row.residual -= moved;
      }
    }
  }

  // Over the values that `concerns` picks, by partner; a suspicion with the second pass's figures, if it is borne out.
  // nullopt: none of them was measured again, which clears nobody.
  template <typename Concerns>
  std::optional<bool> bears_out(Suspicion& one, double least, Concerns&& concerns) const {
    std::map<std::size_t, std::vector<double>> units;
    std::size_t paths = 0;
    bool reached = false;
    for (const Row& row : rows_) {
      if (!one.rail.empty() && row.value.rail != one.rail) continue;
      const int unit = concerns(row.value);
      if (unit < 0) continue;
      units[static_cast<std::size_t>(unit)].push_back(row.residual);
      ++paths;
      reached = reached || row.value.reached;
    }
    if (units.empty()) return std::nullopt;
    std::vector<double> effects;
    for (auto& [unit, residuals] : units) effects.push_back(plain_median(residuals));
    const double effect = upper_median(effects);
    const double shortfall = reached ? 1 - std::exp(effect) : 1;
    const double z = -effect * std::sqrt(static_cast<double>(effects.size())) / (1.2533 * error_);
    if (shortfall < std::max(bounds_.least, least) || z < kSecondZ) return false;
    one.shortfall = shortfall;
    one.z = z;
    one.paths = paths;
    units_ = effects.size();
    reached_ = reached;
    effect_ = effect;
    return true;
  }

  bool is_good(std::size_t node) const { return !suspects_.contains(node); }
  std::size_t units() const { return units_; }
  bool reached() const { return reached_; }
  double effect() const { return effect_; }

 private:
  struct Row {
    PathValue value;
    double residual = 0;
  };
  const std::vector<FleetNode>& nodes_;
  std::set<std::size_t> suspects_;
  const FleetBounds& bounds_;
  std::vector<Row> rows_;
  double error_ = 0;
  // Of the last that was borne out.
  mutable std::size_t units_ = 0;
  mutable bool reached_ = true;
  mutable double effect_ = 0;
};

}  // namespace

std::vector<Suspicion> confirmed(const FleetFinding& first, const std::vector<FleetNode>& nodes,
                                 const std::vector<PathValue>& second, const FleetBounds& bounds) {
  const SecondPass pass(first, nodes, second, bounds);
  const FleetCells names(nodes, second, bounds);
  std::vector<Suspicion> kept;
  const auto keep = [&](Suspicion one) {
    Blame blame{.part = one.part,
                .index = one.nodes[0],
                .other = one.nodes.size() > 1 ? one.nodes[1] : 0,
                .rail = names.rails.size(),
                .outward = one.outward,
                .inward = one.inward,
                .only_across = one.only_across,
                .effect = pass.effect(),
                .z = one.z,
                .paths = one.paths,
                .units = pass.units(),
                .of = 0,
                .reached = pass.reached()};
    const auto rail = std::find(names.rails.begin(), names.rails.end(), one.rail);
    if (!one.rail.empty()) blame.rail = static_cast<std::size_t>(rail - names.rails.begin());
    if (one.part == Part::leaf) blame.index = names.leaf_of[one.nodes[0]];
    Suspicion worded = suspicion_of(blame, names, nodes, bounds);
    worded.sentence += "; measured twice";
    kept.push_back(std::move(worded));
  };
  const auto settle = [&](Suspicion one, double least, auto&& concerns) {
    const Suspicion first_word = one;
    const auto word = pass.bears_out(one, least, concerns);
    if (word.value_or(false)) keep(one);
    if (!word) kept.push_back(first_word);
  };
  const auto with_good = [&](std::size_t node, const Suspicion& one) {
    return [&, node](const PathValue& value) {
      if (one.outward && value.from == node && pass.is_good(value.to)) return static_cast<int>(value.to);
      if (one.inward && value.to == node && pass.is_good(value.from)) return static_cast<int>(value.from);
      return -1;
    };
  };
  for (const Suspicion& suspicion : first.suspicions) {
    Suspicion one = suspicion;
    // Where it was not sure the second pass alone must show what made it doubtful.
    const double least = std::max(kPersists * suspicion.shortfall, suspicion.sure ? 0 : kDoubtful * bounds.least);
    if (!one.some.empty()) {
      const auto one_of_them = [&](const PathValue& value) {
        const auto at = std::find(one.some.begin(), one.some.end(), std::pair(value.from, value.to));
        return at == one.some.end() ? -1 : static_cast<int>(at - one.some.begin());
      };
      const auto word = pass.bears_out(one, least, one_of_them);
      if (word.value_or(false)) one.sentence += "; measured twice";
      if (word.value_or(true)) kept.push_back(one);
      continue;
    }
    switch (one.part) {
      case Part::common:
        kept.push_back(one);
        break;
      case Part::path:
      case Part::pair: {
        const std::size_t from = one.nodes[0];
        const std::size_t to = one.nodes[1];
        if (one.part == Part::pair) {
          bool is_node = false;
          for (const std::size_t node : one.nodes) {
            Suspicion end = one;
            end.part = Part::node;
            end.nodes = {node};
            end.outward = end.inward = true;
            // One direction low is that side of one end.
            if (!suspicion.inward) (node == from ? end.inward : end.outward) = false;
            end.part = end.inward && end.outward ? Part::node : end.outward ? Part::sends : Part::receives;
            if (!pass.bears_out(end, least, with_good(node, end)).value_or(false)) continue;
            if (!end.rail.empty()) end.part = Part::rail;
            keep(end);
            is_node = true;
          }
          if (is_node) break;
        }
        int times = 0;  // each time counts for itself: the better half of them must be low
        const auto itself = [&](const PathValue& value) {
          const bool there = one.outward && value.from == from && value.to == to;
          const bool back = one.inward && value.from == to && value.to == from;
          return there || back ? times++ : -1;
        };
        const auto word = pass.bears_out(one, least, itself);
        if (!word) kept.push_back(suspicion);
        if (!word.value_or(false)) break;
        // Both ends must have been seen to do well with others; else it stays untold which it is.
        if (one.part == Part::pair && nodes.size() > 2) one.part = Part::path;
        keep(one);
        break;
      }
      case Part::leaf: {
        const std::set<std::size_t> members(one.nodes.begin(), one.nodes.end());
        const auto crossing = [&](const PathValue& value) {
          if (one.outward && members.contains(value.from) && !members.contains(value.to))
            return static_cast<int>(value.from);
          if (one.inward && members.contains(value.to) && !members.contains(value.from))
            return static_cast<int>(value.to);
          return -1;
        };
        settle(one, least, crossing);
        break;
      }
      default:
        settle(one, least, with_good(one.nodes[0], one));
    }
  }
  return kept;
}

}  // namespace rackproof
