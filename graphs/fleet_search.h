// Which parts account for what is low: the one that explains most is blamed first, and what it explains counts against
// nobody else.
#pragma once

#include <vector>

#include "graphs/fleet_cells.h"

namespace rackproof {

// A part of which it is not sure falls short by so many times the least that is a fault.
inline constexpr double kDoubtful = 2;

// A part that is to blame, in numbers.
struct Blame {
  Part part = Part::node;
  std::size_t index = 0;  // node; leaf; for a path its `from`
  std::size_t other = 0;  // for a path its `to`
  std::size_t rail = 0;   // rails.size(): all of them
  bool outward = true;
  bool inward = true;
  bool only_across = false;
  double effect = 0;  // log
  double z = 0;
  std::size_t paths = 0;                                       // values
  std::size_t units = 0;                                       // partners, or nodes of a leaf
  std::size_t of = 0;                                          // when only some of its units are low: of how many
  bool reached = true;                                         // false: nothing was
  bool sure = true;                                            // false: so few nodes do not tell
  std::vector<std::pair<std::size_t, std::size_t>> some = {};  // then: the low ones, from and to
};

struct FleetSearch {
  FleetCells& fleet;
  const FleetBounds& bounds;
  std::vector<Blame> blames;
  double deviation = 0;  // of one cell, after all that is blamed

  FleetSearch(FleetCells&, const FleetBounds&);

 private:
  struct Candidate;
  // What a node sends and receives by itself; 0 where it has fewer than two partners left.
  void side_effects();
  bool sweep(const std::vector<PartCells>&);
  // Once more, for what is far too low for a pass while the spread of so few nodes is not known well enough to blame it.
  void doubt(const std::vector<PartCells>&);
  void candidates_of(const PartCells&, std::vector<Candidate>&);
  // From what nothing explains: ends that were fitted to it take a part of its spread with them, but not of its tail.
  void measure_deviation();
  void low_paths();
  void gather_by_leaf(std::vector<Blame>& paths);
  void gather_by_node(std::vector<Blame>& paths);
  void merge();

  std::vector<double> sends_;
  std::vector<double> receives_;
  std::vector<std::uint32_t> partners_;  // of a node, in cells that nothing explains
  std::vector<std::uint32_t> met_;       // of a node, in all cells
  double floor_ = 0;                     // of one value
  double least_ = 0;                     // share below the others from which on a part is looked at
  double widening_ = 1;                  // for a fleet so small that its spread is hardly known
  double understated_ = 1;               // by how much a spread left over after so many effects is too small
};

}  // namespace rackproof
