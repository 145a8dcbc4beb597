#include "graphs/fleet_cells.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>

namespace rackproof {

namespace {

std::uint32_t narrow(std::size_t value) { return static_cast<std::uint32_t>(value); }

auto at(std::span<double> values, std::size_t index) { return values.begin() + static_cast<std::ptrdiff_t>(index); }

}  // namespace

double upper_median(std::span<double> values) {
  const auto middle = at(values, values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double plain_median(std::span<double> values) {
  const double upper = upper_median(values);
  if (values.size() % 2 == 1) return upper;
  return (upper + *std::max_element(values.begin(), at(values, values.size() / 2))) / 2;
}

double deviation_around(std::span<double> values, double centre) {
  if (values.empty()) return 0;
  for (double& value : values) value = std::abs(value - centre);
  return 1.4826 * plain_median(values);
}

double normal_bound(double p, std::size_t n) {
  const double tail = p / static_cast<double>(std::max<std::size_t>(n, 1));
  double low = 0;
  double high = 20;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(middle / std::sqrt(2.0)) / 2 > tail ? low : high) = middle;
  }
  return high;
}

FleetCells::FleetCells(const std::vector<FleetNode>& fleet, const std::vector<PathValue>& values,
                       const FleetBounds& bounds)
    : nodes(fleet.size()) {
  std::map<std::string, std::uint32_t> leaf_index;
  for (const FleetNode& node : fleet) {
    if (!node.leaf.empty()) leaf_index.try_emplace(node.leaf, 0);
  }
  for (auto& [name, index] : leaf_index) {
    index = narrow(leaves.size());
    leaves.push_back(name);
  }
  for (const FleetNode& node : fleet)
    leaf_of.push_back(node.leaf.empty() ? narrow(leaves.size()) : leaf_index[node.leaf]);

  std::map<std::string, std::uint32_t> rail_index;
  for (const PathValue& value : values) rail_index.try_emplace(value.rail, 0);
  for (auto& [name, index] : rail_index) {
    index = narrow(rails.size());
    rails.push_back(name);
  }

  using Row = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, bool, double>;
  std::vector<Row> rows;
  std::vector<double> spreads;
  for (const PathValue& value : values) {
    if (value.from >= nodes || value.to >= nodes || value.from == value.to) continue;
    if (value.reached && !(value.value > 0 && std::isfinite(value.value))) continue;
    const double log = value.reached ? std::log(value.value) : 0;
    const std::uint32_t rail = rail_index[value.rail];
    rows.emplace_back(narrow(value.from), narrow(value.to), rail, value.reached, bounds.higher_is_better ? log : -log);
    if (value.reached && value.spread > 0 && std::isfinite(value.spread)) spreads.push_back(value.spread);
  }
  if (!spreads.empty()) spread = plain_median(spreads);
  std::sort(rows.begin(), rows.end());
  std::vector<double> repeats;
  for (std::size_t i = 0; i < rows.size();) {
    const auto [from, to, rail, ignored_reached, ignored_log] = rows[i];
    Cell cell{.from = from, .to = to, .rail = rail};
    cell.across = knows_leaf(from) && knows_leaf(to) && leaf_of[from] != leaf_of[to];
    repeats.clear();
    for (; i < rows.size() &&
           std::tie(from, to, rail) == std::tie(std::get<0>(rows[i]), std::get<1>(rows[i]), std::get<2>(rows[i]));
         ++i) {
      if (std::get<3>(rows[i])) repeats.push_back(std::get<4>(rows[i]));
    }
    cell.reached = !repeats.empty();
    cell.values = narrow(std::max<std::size_t>(repeats.size(), 1));
    if (cell.reached) cell.log = plain_median(repeats);
    cells.push_back(cell);
  }
  // With one pair only, its rails can but be held against one another.
  const auto another_pair = [&](const Cell& cell) {
    return std::minmax(cell.from, cell.to) != std::minmax(cells[0].from, cells[0].to);
  };
  rails_alone = std::any_of(cells.begin(), cells.end(), another_pair);
}

void FleetCells::level_by_nodes() {
  std::vector<std::tuple<std::size_t, std::uint32_t, double>> rows;  // level, node, value
  for (const Cell& cell : cells) {
    if (!cell.reached || cell.explained) continue;
    rows.emplace_back(level_of(cell), cell.from, cell.log);
    rows.emplace_back(level_of(cell), cell.to, cell.log);
  }
  std::sort(rows.begin(), rows.end());
  std::vector<std::vector<double>> achieved(levels());
  std::vector<double> own;
  for (std::size_t i = 0; i < rows.size();) {
    const auto [level, node, ignored] = rows[i];
    own.clear();
    for (; i < rows.size() && std::get<0>(rows[i]) == level && std::get<1>(rows[i]) == node; ++i) {
      own.push_back(std::get<2>(rows[i]));
    }
    achieved[level].push_back(upper_median(own));
  }
  std::vector<double> level(levels());
  for (std::size_t i = 0; i < level.size(); ++i) level[i] = achieved[i].empty() ? 0 : upper_median(achieved[i]);
  residuals(level);
}

void FleetCells::level_by_cells() {
  std::vector<std::vector<double>> values(levels());
  std::vector<std::vector<double>> with_faults(levels());
  for (const Cell& cell : cells) {
    if (cell.reached) (cell.explained ? with_faults : values)[level_of(cell)].push_back(cell.log);
  }
  std::vector<double> level(levels());
  for (std::size_t i = 0; i < level.size(); ++i) {
    // Where faults explain everything the best of it is what is known of the level.
    if (!values[i].empty())
      level[i] = plain_median(values[i]);
    else if (!with_faults[i].empty())
      level[i] = *std::max_element(with_faults[i].begin(), with_faults[i].end());
  }
  residuals(level);
}

void FleetCells::residuals(const std::vector<double>& level) {
  for (Cell& cell : cells) {
    cell.residual = cell.reached ? std::max(cell.log - level[level_of(cell)], kNothing) : kNothing;
  }
}

std::vector<PartCells> parts_of(const FleetCells& fleet) {
  std::vector<PartCells> kinds;
  using Row = std::array<std::uint32_t, 3>;  // part, unit, cell
  const auto add = [&](PartCells kind, std::size_t parts, auto&& rows_of) {
    std::vector<Row> rows;
    for (std::uint32_t i = 0; i < fleet.cells.size(); ++i) rows_of(fleet.cells[i], i, rows);
    std::sort(rows.begin(), rows.end());
    kind.begin.assign(parts + 1, 0);
    for (const Row& row : rows) {
      ++kind.begin[row[0] + 1];
      kind.unit.push_back(row[1]);
      kind.cell.push_back(row[2]);
    }
    for (std::size_t i = 0; i < parts; ++i) kind.begin[i + 1] += kind.begin[i];
    kinds.push_back(std::move(kind));
  };
  const std::uint32_t rails = narrow(fleet.rails.size());
  const std::array<std::pair<bool, bool>, 3> sides{{{true, true}, {true, false}, {false, true}}};

  if (fleet.leaves.size() > 1) {
    for (const bool only_across : {false, true}) {
      for (const auto& [outward, inward] : sides) {
        // Inside a leaf all its nodes low, or two of two, cannot be told from bad nodes; across, two good ones tell.
        const std::size_t least = only_across ? 2 : 3;
        if (!only_across && outward != inward) continue;
        add({Part::leaf, outward, inward, only_across, least, {}, {}, {}}, fleet.leaves.size(),
            [&, out = outward, in = inward](const Cell& cell, std::uint32_t index, std::vector<Row>& rows) {
              if (only_across && !cell.across) return;
              if (out && fleet.knows_leaf(cell.from)) rows.push_back({fleet.leaf_of[cell.from], cell.from, index});
              if (in && fleet.knows_leaf(cell.to)) rows.push_back({fleet.leaf_of[cell.to], cell.to, index});
            });
      }
    }
  }
  const auto part_of = [](const std::pair<bool, bool>& side) {
    return side.first && side.second ? Part::node : side.first ? Part::sends : Part::receives;
  };
  for (const auto& side : sides) {
    add({part_of(side), side.first, side.second, false, 2, {}, {}, {}}, fleet.nodes,
        [&](const Cell& cell, std::uint32_t index, std::vector<Row>& rows) {
          if (side.first) rows.push_back({cell.from, cell.to, index});
          if (side.second) rows.push_back({cell.to, cell.from, index});
        });
  }
  if (rails > 1 && fleet.rails_alone) {
    for (const auto& side : sides) {
      add({Part::rail, side.first, side.second, false, 2, {}, {}, {}}, fleet.nodes * rails,
          [&](const Cell& cell, std::uint32_t index, std::vector<Row>& rows) {
            if (side.first) rows.push_back({cell.from * rails + cell.rail, cell.to, index});
            if (side.second) rows.push_back({cell.to * rails + cell.rail, cell.from, index});
          });
    }
  }
  return kinds;
}

}  // namespace rackproof
