// Where partners find each other at the beginning of a round, and where a rank that is busy with another partner says
// that it lives: whoever waits for it can tell a late partner from a dead one.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "checks/api/ranks.h"
#include "checks/fabric/talk.h"

namespace rackproof {

using Wires = std::vector<std::unique_ptr<Wire>>;  // a rail each, of the same order on all ranks

class Lobby {
 public:
  // Puts this rank's card.
  Lobby(Ranks&, Wires&, std::chrono::nanoseconds patience);

  // Waits for the partner of this round on this rail. Throws PartnerLost.
  void meet(std::size_t wire, int partner, int round);
  // Answers whoever asks; to be called often, but not while anything is timed.
  void attend();
  // Another thread uses this wire, so that nobody is attended there; nullptr: none does.
  void lend(const Wire* wire) { lent_ = wire; }

 private:
  using Place = std::pair<int, std::size_t>;  // round and rail, in the order of time
  std::optional<std::vector<RailCard>> card_of(int rank, std::chrono::milliseconds at_most);
  void await_card(int rank);
  bool connect(std::size_t wire, int rank);
  void call(std::size_t wire, TagKind, int rank, int round);
  void hear(std::size_t wire);

  Ranks& ranks_;
  Wires& wires_;
  std::chrono::nanoseconds patience_;
  Clock::time_point began_ = Clock::now();
  std::map<int, std::vector<RailCard>> cards_;
  Place here_{-1, 0};
  const Wire* lent_ = nullptr;
  std::set<std::pair<int, Place>> greeted_;  // by which rank, for what
  std::set<int> alive_;                      // who said so since it was looked at last
  std::set<std::pair<int, Place>> gone_;
  std::unique_ptr<Requests> calling_ = std::make_unique<Requests>();
};

}  // namespace rackproof
