// Fleets of which each path carries what a test says, and what is found of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "graphs/fleet.h"
#include "runner/pairing.h"

namespace rackproof::test {

// A fleet whose paths carry 100 each, less what `spoil` takes of it, with normal noise.
struct Fleet {
  std::vector<FleetNode> nodes;
  std::vector<PathValue> values;

  using Spoil = std::function<double(std::size_t from, std::size_t to, const std::string& rail)>;

  static std::string name(std::size_t i) { return "rp" + std::string(i < 9 ? "0" : "") + std::to_string(i + 1); }

  Fleet(std::size_t count, std::size_t per_leaf, const Spoil& spoil, double noise = 0.01, std::size_t rounds = 5,
        const std::vector<std::string>& rails = {""}, unsigned seed = 1) {
    std::vector<NodePlace> places;
    for (std::size_t i = 0; i < count; ++i) {
      nodes.push_back({name(i), per_leaf == 0 ? "" : "leaf" + std::to_string(i / per_leaf + 1), {}});
      places.push_back({nodes.back().name, nodes.back().leaf, ""});
    }
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal(0, noise);
    for (const auto& round : pairing(places, {.rounds = rounds})) {
      for (const auto& pair : round) {
        for (const std::string& rail : rails) {
          for (const auto& [from, to] : {std::pair(pair[0], pair[1]), std::pair(pair[1], pair[0])}) {
            const double share = spoil(from, to, rail);
            values.push_back({from, to, rail, 100 * share * std::exp(normal(random)), 0, share > 0});
            if (share <= 0) values.back().value = 0;
          }
        }
      }
    }
  }

  FleetFinding found(const FleetBounds& bounds = {}) const { return capped(analyse(nodes, values, bounds), nodes, bounds); }
};

inline double fine(std::size_t, std::size_t, const std::string&) { return 1; }

// "node rp03", "rail rp02 mlx5_1", …; "node rp03?" where it is not sure
inline std::vector<std::string> said(const FleetFinding& finding) {
  std::vector<std::string> all;
  for (const Suspicion& one : finding.suspicions) {
    std::string text(to_text(one.part));
    for (const std::string& name : one.names) text += " " + name;
    all.push_back(text + (one.rail.empty() ? "" : " " + one.rail) + (one.sure ? "" : "?"));
  }
  std::sort(all.begin(), all.end());
  return all;
}

using Said = std::vector<std::string>;

}  // namespace rackproof::test
