#include "tests/bench/fleet_sim_peers.h"

#include <algorithm>
#include <numeric>

namespace rackproof::simulated {

namespace {

std::vector<std::size_t> shuffled_nodes(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> nodes(count);
  std::iota(nodes.begin(), nodes.end(), 0);
  std::mt19937_64 random(seed);
  std::shuffle(nodes.begin(), nodes.end(), random);
  return nodes;
}

double both_ways(Fabric& fabric, std::size_t one, std::size_t other) {
  return fabric.carries(one, other) + fabric.carries(other, one);
}

}  // namespace

Accused exhaustive(Fabric& fabric) {
  Accused accused;
  const std::size_t n = fabric.size();
  std::vector<std::size_t> low(n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      if (fabric.carries(i, j) >= 95) continue;
      ++low[i];
      ++low[j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (2 * low[i] >= n - 1) accused.nodes.insert(i);
  }
  accused.rounds = n - 1;
  accused.node_seconds = kRoundSeconds * static_cast<double>(n) * static_cast<double>(n - 1);
  return accused;
}

Accused shuffled(Fabric& fabric, std::uint64_t seed) {
  constexpr std::size_t kRounds = 15;
  const std::size_t half = fabric.size() / 2;
  std::vector<std::size_t> passes(fabric.size(), 0);
  for (std::size_t round = 0; round < kRounds; ++round) {
    const auto nodes = shuffled_nodes(fabric.size(), seed * 1009 + round);
    for (std::size_t i = 0; i < half; ++i) {
      if (both_ways(fabric, nodes[i], nodes[half + i]) < 180) continue;
      ++passes[nodes[i]];
      ++passes[nodes[half + i]];
    }
  }
  Accused accused;
  for (std::size_t i = 0; i < passes.size(); ++i) {
    if (2 * passes[i] < kRounds) accused.nodes.insert(i);
  }
  accused.rounds = kRounds;
  accused.node_seconds = kRoundSeconds * static_cast<double>(fabric.size() * kRounds);
  return accused;
}

Accused two_passes(Fabric& fabric, std::uint64_t seed) {
  const std::size_t half = fabric.size() / 2;
  const auto nodes = shuffled_nodes(fabric.size(), seed);
  std::vector<std::size_t> suspects;
  std::vector<std::size_t> good;
  for (std::size_t i = 0; i < half; ++i) {
    auto& list = both_ways(fabric, nodes[i], nodes[half + i]) < 180 ? suspects : good;
    list.push_back(nodes[i]);
    list.push_back(nodes[half + i]);
  }
  Accused accused;
  for (std::size_t i = 0; i < suspects.size() && !good.empty(); ++i) {
    if (both_ways(fabric, suspects[i], good[i % good.size()]) < 180) accused.nodes.insert(suspects[i]);
  }
  accused.rounds = suspects.empty() ? 1 : 2;
  accused.node_seconds = kRoundSeconds * static_cast<double>(fabric.size() + 2 * suspects.size());
  return accused;
}

}  // namespace rackproof::simulated
