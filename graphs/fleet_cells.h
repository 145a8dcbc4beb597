// The analysis of a fleet as numbers: one cell a path and rail, the levels they are held against, and the parts that
// each cell passes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graphs/fleet.h"

namespace rackproof {

// The residual of a path that was not reached: a thousandth of what it should carry.
inline constexpr double kNothing = -6.9;

// The middle one of a sorted row, of two middle ones the better: what is bad at one end of a path must not count
// against the other end, so a part is only as bad as its better half. Reorders its argument.
double upper_median(std::span<double>);
double plain_median(std::span<double>);                     // reorders its argument
double deviation_around(std::span<double>, double centre);  // 1.4826 MAD; reorders its argument
// What a normal value exceeds with probability p in one of n draws.
double normal_bound(double p, std::size_t n);

struct Cell {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  std::uint32_t rail = 0;
  std::uint32_t values = 0;  // measured ones
  bool across = false;
  bool reached = false;
  bool explained = false;  // by a part that is blamed
  double log = 0;          // higher is better
  double residual = 0;     // log less the level
};

struct FleetCells {
  std::vector<std::string> rails;
  std::vector<std::string> leaves;
  std::vector<std::uint32_t> leaf_of;  // of a node; leaves.size() where it is not known
  std::vector<Cell> cells;             // sorted by from, to, rail
  double spread = 0;                   // typical spread that the values came with
  std::size_t nodes = 0;
  bool rails_alone = false;  // each rail has its own level

  FleetCells(const std::vector<FleetNode>&, const std::vector<PathValue>&, const FleetBounds&);
  std::size_t levels() const { return 2 * (rails_alone ? rails.size() : 1); }
  std::size_t level_of(const Cell& cell) const { return (rails_alone ? cell.rail * 2 : 0) + (cell.across ? 1U : 0U); }
  bool knows_leaf(std::size_t node) const { return leaf_of[node] < leaves.size(); }

  // Levels from what the nodes achieve, so that one bad node of four does not pull them; then residuals.
  void level_by_nodes();
  // Levels from all cells that nothing explains; then residuals.
  void level_by_cells();

 private:
  void residuals(const std::vector<double>& level);
};

// The cells of each part of one kind; within a part they lie by unit: the partners of a node, the nodes of a leaf.
struct PartCells {
  Part part = Part::node;
  bool outward = true;
  bool inward = true;
  bool only_across = false;
  std::size_t least_units = 2;
  std::vector<std::uint32_t> begin;  // of part i in the two below; one more than there are parts
  std::vector<std::uint32_t> unit;
  std::vector<std::uint32_t> cell;
  std::size_t parts() const { return begin.size() - 1; }
};

// Every kind of part that this fleet can tell apart, the wide ones first.
std::vector<PartCells> parts_of(const FleetCells&);

}  // namespace rackproof
