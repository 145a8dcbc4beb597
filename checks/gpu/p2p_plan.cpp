#include "checks/gpu/p2p_plan.h"

#include <algorithm>
#include <set>

#include "checks/api/sampler.h"

namespace rackproof {

std::vector<Pair> shifted(std::size_t n, std::size_t distance) {
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < n; ++i) pairs.emplace_back(i, (i + distance) % n);
  return pairs;
}

std::vector<Pair> all_pairs(std::size_t n) {
  std::vector<Pair> all;
  for (std::size_t distance = 1; distance < n; ++distance) std::ranges::copy(shifted(n, distance), std::back_inserter(all));
  return all;
}

std::string path_id(std::string_view from_address, std::string_view to_address) {
  return "p2p:" + std::string(from_address) + ">" + std::string(to_address);
}

std::vector<double> median_by_gpu(const Matrix& rates) {
  std::vector<double> medians;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    std::vector<double> of_this;
    for (std::size_t j = 0; j < rates.size(); ++j) {
      for (const double rate : {rates[i][j], rates[j][i]}) {
        if (i != j && rate > 0) of_this.push_back(rate);
      }
    }
    medians.push_back(of_this.empty() ? 0 : median(of_this));
  }
  return medians;
}

std::vector<double> shares_of_median(const std::vector<double>& values) {
  std::vector<double> known = values;
  std::erase_if(known, [](double value) { return value <= 0; });
  std::vector<double> shares(values.size(), 0);
  if (known.empty()) return shares;
  const double middle = median(known);
  std::ranges::transform(values, shares.begin(), [&](double value) { return std::max(0.0, 100 * value / middle); });
  return shares;
}

double pair_share(const Matrix& rates, const std::vector<double>& by_gpu, Pair pair) {
  const double can = std::min(by_gpu[pair.first], by_gpu[pair.second]);
  return can > 0 ? 100 * rates[pair.first][pair.second] / can : 0;
}

PeerBlame blame(const std::vector<Pair>& wrong, std::size_t n) {
  PeerBlame result;
  result.pairs = wrong;
  while (true) {
    std::vector<std::set<std::size_t>> peers(n);
    for (const auto& [from, to] : result.pairs) {
      peers[from].insert(to);
      peers[to].insert(from);
    }
    const auto most = std::ranges::max_element(peers, {}, &std::set<std::size_t>::size);
    if (most == peers.end() || most->size() < 2) return result;
    const auto gpu = static_cast<std::size_t>(most - peers.begin());
    result.gpus.push_back(gpu);
    std::erase_if(result.pairs, [&](const Pair& pair) { return pair.first == gpu || pair.second == gpu; });
  }
}

}  // namespace rackproof
