// Pairs of GPUs: who copies to whom, and whether a GPU or a pair is to blame.
#include <catch2/catch.hpp>
#include <set>

#include "checks/gpu/p2p_plan.h"

using namespace rackproof;

namespace {

Matrix all_alike(std::size_t n, double rate) {
  Matrix rates(n, std::vector<double>(n, rate));
  for (std::size_t i = 0; i < n; ++i) rates[i][i] = 0;
  return rates;
}

}  // namespace

TEST_CASE("every ordered pair comes once, and every GPU is busy in each ring", "[gpu.p2p]") {
  for (const std::size_t n : {2u, 3u, 4u, 8u}) {
    const auto pairs = all_pairs(n);
    CHECK(pairs.size() == n * (n - 1));
    CHECK(std::set<Pair>(pairs.begin(), pairs.end()).size() == pairs.size());
    for (const Pair& pair : pairs) CHECK(pair.first != pair.second);
    for (std::size_t distance = 1; distance < n; ++distance) {
      std::set<std::size_t> senders;
      std::set<std::size_t> receivers;
      for (const auto& [from, to] : shifted(n, distance)) {
        senders.insert(from);
        receivers.insert(to);
      }
      CHECK(senders.size() == n);
      CHECK(receivers.size() == n);
    }
  }
  CHECK(all_pairs(1).empty());
}

TEST_CASE("a GPU with a bad link is slow itself, and its peers are not", "[gpu.p2p]") {
  Matrix rates = all_alike(8, 378);
  for (std::size_t i = 0; i < 8; ++i) {
    if (i != 3) rates[i][3] = rates[3][i] = 357;
  }
  const auto by_gpu = median_by_gpu(rates);
  const auto shares = shares_of_median(by_gpu);
  for (std::size_t i = 0; i < 8; ++i) CHECK(shares[i] == Approx(i == 3 ? 94.44 : 100).epsilon(0.001));
  for (const Pair& pair : all_pairs(8)) CHECK(pair_share(rates, by_gpu, pair) == Approx(100));
}

TEST_CASE("a bad pair is told from a bad GPU", "[gpu.p2p]") {
  Matrix rates = all_alike(8, 378);
  rates[2][5] = 200;
  const auto by_gpu = median_by_gpu(rates);
  for (const double share : shares_of_median(by_gpu)) CHECK(share == Approx(100));
  CHECK(pair_share(rates, by_gpu, {2, 5}) == Approx(52.9).epsilon(0.001));
  CHECK(pair_share(rates, by_gpu, {5, 2}) == Approx(100));
}

TEST_CASE("what was not measured counts for nothing", "[gpu.p2p]") {
  Matrix rates = all_alike(4, 0);
  rates[0][1] = 10;
  CHECK(median_by_gpu(rates) == std::vector<double>{10, 10, 0, 0});
  CHECK(shares_of_median({10, 10, 0, 0}) == std::vector<double>{100, 100, 0, 0});
  CHECK(shares_of_median({0, 0}) == std::vector<double>{0, 0});
  CHECK(pair_share(rates, {10, 10, 0, 0}, {2, 3}) == 0);
}

TEST_CASE("wrong copies are blamed on what they have in common", "[gpu.p2p]") {
  SECTION("nothing wrong") { CHECK(blame({}, 8).gpus.empty()); }
  SECTION("one GPU, in both directions") {
    const PeerBlame found = blame({{3, 0}, {3, 5}, {1, 3}}, 8);
    CHECK(found.gpus == std::vector<std::size_t>{3});
    CHECK(found.pairs.empty());
  }
  SECTION("one pair: nobody can say which end") {
    const PeerBlame found = blame({{3, 0}, {0, 3}}, 8);
    CHECK(found.gpus.empty());
    CHECK(found.pairs == std::vector<Pair>{{3, 0}, {0, 3}});
  }
  SECTION("two GPUs") {
    const PeerBlame found = blame({{1, 0}, {1, 2}, {1, 4}, {6, 5}, {6, 7}, {6, 1}}, 8);
    CHECK(std::set<std::size_t>(found.gpus.begin(), found.gpus.end()) == std::set<std::size_t>{1, 6});
    CHECK(found.pairs.empty());
  }
}

TEST_CASE("a path is named by the way that the data take", "[gpu.p2p]") {
  CHECK(path_id("0000:17:00.0", "0000:65:00.0") == "p2p:0000:17:00.0>0000:65:00.0");
}
