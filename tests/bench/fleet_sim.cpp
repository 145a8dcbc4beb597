// What the fleet's analysis finds and whom it accuses wrongly, on invented fabrics with known faults, beside other
// schemes: `rackproof_fleet_sim [--nodes 16,128,1024,16384] [--scale 1] [--healthy 1000] [--racks 1000]`. Prints Markdown tables.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <sstream>
#include <string>

#include "tests/bench/fleet_sim_fabric.h"
#include "tests/bench/fleet_sim_peers.h"
#include "tests/bench/fleet_sim_racks.h"
#include "graphs/bisection.h"
#include "graphs/fleet_second_pass.h"

namespace {

using namespace rackproof;
using namespace rackproof::simulated;

struct Tally {
  std::size_t runs = 0, detected = 0, wrong = 0, rounds = 0;
  double node_seconds = 0;

  std::string text(bool can_name) const {
    if (runs == 0) return "-";
    char line[64];
    const double of = static_cast<double>(runs);
    if (can_name)
      std::snprintf(line, sizeof line, "%.0f %% / %.3g", 100 * static_cast<double>(detected) / of,
                    static_cast<double>(wrong) / of);
    else
      std::snprintf(line, sizeof line, "no word / %.3g", static_cast<double>(wrong) / of);
    return line;
  }
  std::string cost() const {
    if (runs == 0) return "-";
    char line[64];
    std::snprintf(line, sizeof line, "%.1f / %.0f", static_cast<double>(rounds) / static_cast<double>(runs),
                  node_seconds / static_cast<double>(runs));
    return line;
  }
};

void add_cost(Tally& tally, const Rounds& rounds, std::size_t times) {
  tally.rounds += rounds.size() * times;
  for (const auto& round : rounds) tally.node_seconds += kRoundSeconds * 2 * static_cast<double>(round.size() * times);
}

void ours(Tally& tally, std::size_t nodes, Fault fault, double noise, std::uint64_t seed, bool second) {
  Fabric fabric(nodes, fault, noise, seed);
  const bool rails = fault == Fault::nic;
  const std::size_t times = rails ? 4 : 1;
  const auto fleet = fabric.nodes();
  const Rounds rounds = pairing(fabric.places(), {});
  add_cost(tally, rounds, times);
  FleetFinding finding = analyse(fleet, fabric.measured(rounds, rails));
  if (const Rounds again = confirmation_pairs(finding, fleet); second && !again.empty()) {
    add_cost(tally, again, times);
    finding.suspicions = confirmed(finding, fleet, fabric.measured(again, rails));
  }
  std::vector<Suspicion> suspicions = capped(std::move(finding), fleet).suspicions;
  ++tally.runs;
  std::erase_if(suspicions, [](const Suspicion& one) { return !one.sure; });
  if (fabric.is_detected(suspicions)) ++tally.detected;
  for (const Suspicion& one : suspicions) {
    if (!fabric.is_right(one)) ++tally.wrong;
  }
}

template <typename Scheme>
void theirs(Tally& tally, std::size_t nodes, Fault fault, double noise, std::uint64_t seed, Scheme&& scheme) {
  Fabric fabric(nodes, fault, noise, seed);
  const Accused accused = scheme(fabric);
  ++tally.runs;
  if (std::includes(accused.nodes.begin(), accused.nodes.end(), fabric.bad_nodes().begin(), fabric.bad_nodes().end()))
    ++tally.detected;
  for (const std::size_t node : accused.nodes) tally.wrong += fabric.bad_nodes().contains(node) ? 0 : 1;
  tally.rounds += accused.rounds;
  tally.node_seconds += accused.node_seconds;
}

void healthy(std::size_t runs) {
  std::printf(
      "\nA healthy fleet of 1,024, %zu runs, first pass alone:\n\n| noise | runs that accuse anybody | accusations "
      "|\n| --- | --- | --- |\n",
      runs);
  for (const double noise : {0.01, 0.03}) {
    std::size_t accusing = 0;
    std::size_t all = 0;
    for (std::size_t run = 0; run < runs; ++run) {
      Tally tally;
      ours(tally, 1024, Fault::none, noise, 1'000'000 + run, false);
      accusing += tally.wrong > 0 ? 1 : 0;
      all += tally.wrong;
    }
    std::printf("| %.0f %% | %zu | %zu |\n", 100 * noise, accusing, all);
    std::fflush(stdout);
  }
}

void bisections(std::size_t runs) {
  std::printf(
      "\nBad nodes among 232 that fail as one group, and among 232 in 29 groups of 8:\n\n"
      "| bad | one group: group runs, mean / most | rounds | groups of 8: group runs, mean / most | rounds | most that "
      "is promised |\n"
      "| --- | --- | --- | --- | --- | --- |\n");
  std::mt19937_64 random(5);
  for (const std::size_t bad : {1, 2, 4, 8}) {
    double cells[2][3] = {};
    for (std::size_t run = 0; run < runs; ++run) {
      std::set<std::size_t> faulty;
      while (faulty.size() < bad) faulty.insert(random() % 232);
      const auto passes = [&](const Bisection::Group& group) {
        return std::none_of(group.begin(), group.end(), [&](std::size_t node) { return faulty.contains(node); });
      };
      for (const std::size_t size : {232, 8}) {
        std::vector<Bisection::Group> failed;
        std::vector<Bisection::Group> passed;
        for (std::size_t at = 0; at < 232; at += size) {
          Bisection::Group group(size);
          std::iota(group.begin(), group.end(), at);
          (passes(group) ? passed : failed).push_back(group);
        }
        // Spare nodes that are known to be good, as any larger fleet has.
        Bisection::Group spare(232);
        std::iota(spare.begin(), spare.end(), 232);
        passed.push_back(spare);
        Bisection bisection(failed, passed);
        std::size_t rounds = 0;
        for (; !bisection.next().empty(); ++rounds) {
          std::vector<bool> outcomes;
          for (const auto& group : bisection.next()) outcomes.push_back(passes(group));
          bisection.took(outcomes);
        }
        if (bisection.bad().size() != bad) std::printf("(a bad node was missed)\n");
        double* cell = cells[size == 8 ? 1 : 0];
        cell[0] += static_cast<double>(bisection.runs());
        cell[1] = std::max(cell[1], static_cast<double>(bisection.runs()));
        cell[2] += static_cast<double>(rounds);
      }
    }
    const double of = static_cast<double>(runs);
    std::printf("| %zu | %.1f / %.0f | %.1f | %.1f / %.0f | %.1f | %zu |\n", bad, cells[0][0] / of, cells[0][1],
                cells[0][2] / of, cells[1][0] / of, cells[1][1], cells[1][2] / of, 9 * bad);
  }
}

}  // namespace

int main(int count, char** words) {
  std::string sizes = "16,128,1024,16384";
  double scale = 1;
  std::size_t healthy_runs = 1000;
  std::size_t rack_runs = 1000;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string option = words[i];
    if (option == "--nodes")
      sizes = words[i + 1];
    else if (option == "--scale")
      scale = std::atof(words[i + 1]);
    else if (option == "--healthy")
      healthy_runs = static_cast<std::size_t>(std::atoll(words[i + 1]));
    else if (option == "--racks")
      rack_runs = static_cast<std::size_t>(std::atoll(words[i + 1]));
    else
      return std::fprintf(stderr, "unknown option %s\n", words[i]), 2;
  }
  const auto start = std::chrono::steady_clock::now();
  std::printf(
      "Detected / healthy parts accused a run. A slow node and a slow cable (one direction) keep 90 %%, one NIC of "
      "four 80 %%,\n"
      "a leaf's uplinks 85 %%, the paths over one lossy uplink of eight 50 %%.\n\n"
      "| nodes | fault | noise | runs | ours | all pairs, 5 %% limit | 15 shuffles, 10 %% limit | two passes, 10 %% "
      "limit |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
  std::string costs;
  std::istringstream list(sizes);
  for (std::string word; std::getline(list, word, ',');) {
    const std::size_t nodes = static_cast<std::size_t>(std::atoll(word.c_str()));
    const std::size_t usual = nodes <= 64 ? 500 : nodes <= 256 ? 200 : nodes <= 2048 ? 40 : 3;
    const std::size_t runs = std::max<std::size_t>(1, static_cast<std::size_t>(scale * static_cast<double>(usual)));
    for (const Fault fault : kFaults) {
      for (const double noise : {0.01, 0.02, 0.03}) {
        Tally our, all, shuffle, two;
        for (std::size_t run = 0; run < runs; ++run) {
          ours(our, nodes, fault, noise, run, true);
          // All pairs of a large fleet are too many even to simulate often.
          if (nodes <= 256 || (nodes <= 2048 && run < 2)) theirs(all, nodes, fault, noise, run, exhaustive);
          theirs(shuffle, nodes, fault, noise, run, [&](Fabric& fabric) { return shuffled(fabric, run); });
          theirs(two, nodes, fault, noise, run, [&](Fabric& fabric) { return two_passes(fabric, run); });
        }
        const bool nodes_fault = fault != Fault::uplink && fault != Fault::lossy;
        const bool none = fault == Fault::none;
        const auto text = [&](const Tally& tally, bool can_name) {
          return none && tally.runs > 0 ? "- / " + tally.text(true).substr(tally.text(true).find('/') + 2)
                                        : tally.text(can_name);
        };
        std::printf("| %zu | %s | %.0f %% | %zu | %s | %s | %s | %s |\n", nodes, to_text(fault), 100 * noise, runs,
                    text(our, true).c_str(), text(all, nodes_fault).c_str(), text(shuffle, nodes_fault).c_str(),
                    text(two, nodes_fault).c_str());
        std::fflush(stdout);
        if (fault == Fault::node && noise == 0.01) {
          costs += "| " + std::to_string(nodes) + " | " + our.cost() + " | " + all.cost() + " | " + shuffle.cost() +
                   " | " + two.cost() + " |\n";
        }
      }
    }
  }
  std::printf(
      "\nRounds / node-seconds a run at 2 s a round, one slow node, noise 1 %%, the second pass included:\n\n"
      "| nodes | ours | all pairs | 15 shuffles | two passes |\n| --- | --- | --- | --- | --- |\n%s",
      costs.c_str());
  bisections(std::max<std::size_t>(10, static_cast<std::size_t>(1000 * scale)));
  if (rack_runs > 0) print_racks(rack_runs);
  if (healthy_runs > 0) healthy(healthy_runs);
  std::printf("\n%.0f s\n", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}
