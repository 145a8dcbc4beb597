#include "tests/bench/fleet_sim_racks.h"

#include <cmath>
#include <cstdio>
#include <random>
#include <utility>
#include <vector>

#include "graphs/fleet_second_pass.h"
#include "runner/pairing.h"

namespace rackproof::simulated {

namespace {

constexpr std::size_t kSlow = 1;
// Where values have a tail, so many of them are low by 10 to 40 % for no reason of a node or a path.
constexpr double kTail = 0.02;

class Rack {
 public:
  Rack(std::size_t size, double kept, double noise, bool tail, std::uint64_t seed)
      : kept_(kept), tail_(tail), random_(seed), normal_(0, noise) {
    for (std::size_t i = 0; i < size; ++i) nodes_.push_back({"n" + std::to_string(i), "", {}});
  }

  // After both passes.
  std::vector<Suspicion> accused() {
    std::vector<NodePlace> places;
    for (const FleetNode& node : nodes_) places.push_back({node.name, "", ""});
    FleetFinding finding = analyse(nodes_, measured(pairing(places, {})));
    const Rounds again = confirmation_pairs(finding, nodes_);
    if (!again.empty()) finding.suspicions = confirmed(finding, nodes_, measured(again));
    std::vector<Suspicion> all = capped(std::move(finding), nodes_).suspicions;
    std::erase_if(all, [](const Suspicion& one) { return !one.sure; });
    return all;
  }

 private:
  double carries(std::size_t from, std::size_t to) {
    double share = from == kSlow || to == kSlow ? kept_ : 1;
    if (tail_ && uniform_(random_) < kTail) share *= 0.6 + 0.3 * uniform_(random_);
    return 100 * share * std::exp(normal_(random_));
  }

  std::vector<PathValue> measured(const Rounds& rounds) {
    std::vector<PathValue> values;
    for (const auto& round : rounds) {
      for (const auto& pair : round) {
        for (const auto& [from, to] : {std::pair(pair[0], pair[1]), std::pair(pair[1], pair[0])})
          values.push_back({from, to, "", carries(from, to), 0, true});
      }
    }
    return values;
  }

  std::vector<FleetNode> nodes_;
  double kept_;
  bool tail_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  std::uniform_real_distribution<double> uniform_;
};

}  // namespace

void print_racks(std::size_t runs) {
  std::printf(
      "\nOne slow node of few, five rounds and the second pass, %zu runs each: named / runs that accuse anybody else. With "
      "a tail 2 %% of the\nvalues are low by 10 to 40 %% for no reason.\n\n"
      "| nodes | noise | tail | none slow | keeps 95 %% | 90 %% | 80 %% | 50 %% |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- |\n",
      runs);
  for (const std::size_t size : {3, 4, 5, 6, 8, 16}) {
    for (const auto& [noise, tail] : {std::pair(0.01, false), {0.03, false}, {0.01, true}, {0.03, true}}) {
      std::printf("| %zu | %.0f %% | %s |", size, 100 * noise, tail ? "yes" : "no");
      for (const double kept : {1.0, 0.95, 0.9, 0.8, 0.5}) {
        std::size_t named = 0;
        std::size_t wrong = 0;
        for (std::size_t run = 0; run < runs; ++run) {
          bool is_named = false;
          bool is_wrong = false;
          for (const Suspicion& one : Rack(size, kept, noise, tail, run).accused()) {
            const bool is_it = kept < 1 && one.nodes == std::vector<std::size_t>{kSlow};
            (is_it ? is_named : is_wrong) = true;
          }
          named += is_named ? 1 : 0;
          wrong += is_wrong ? 1 : 0;
        }
        const auto percent = [&](std::size_t count) { return 100 * static_cast<double>(count) / static_cast<double>(runs); };
        if (kept < 1)
          std::printf(" %.0f %% / %.2g %% |", percent(named), percent(wrong));
        else
          std::printf(" - / %.2g %% |", percent(wrong));
      }
      std::printf("\n");
      std::fflush(stdout);
    }
  }
}

}  // namespace rackproof::simulated
