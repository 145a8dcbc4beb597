// What a check that spans nodes knows of the others: its own rank, whom it meets in which round, and the card that each
// rank puts on the table for the others to find it by.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rackproof {

struct Member {
  int rank = 0;
  std::string node;  // as the run calls it; two ranks on one machine have two names
  bool operator==(const Member&) const = default;
};
// Who measures together in one round, in the same order for all of them; the round is left out when it is empty.
using Group = std::vector<Member>;

// From the environment that the runner makes for each rank:
//   RACKPROOF_RANK    its own rank: "3"
//   RACKPROOF_ROUNDS  its group in each round, rounds parted by '|': "0=node01,3=node04|-|3=node04,5=node06"
//   RACKPROOF_CARDS   path of the Unix socket of rackproof-cards, which carries cards through PMIx
// There is no barrier over all ranks: a rank that is late or dead must cost its own partners and nobody else.
class Ranks {
 public:
  // Throws Trouble, which says how to start it, where the runner has made no such environment.
  static Ranks from_environment();
  // Whether this process was started as one of several ranks.
  static bool are_several();

  int own() const { return own_; }
  const std::vector<Group>& rounds() const { return rounds_; }

  // Puts this rank's card on the table: any bytes up to 64 KiB, once, before anything is measured. Throws Trouble.
  void put_card(std::string_view card);
  // The card of another rank, as soon as it lies there; nothing, when it does not in this time. Throws Trouble where
  // rackproof-cards is gone, which is no fault of the other rank.
  std::optional<std::string> card_of(int rank, std::chrono::milliseconds at_most);

 private:
  int own_ = 0;
  std::vector<Group> rounds_;
  std::string socket_;
};

// "0=node01,3=node04|-|…", and back. Throws Trouble for what is no such text.
std::vector<Group> parse_rounds(std::string_view text);
std::string to_text(const std::vector<Group>& rounds);

}  // namespace rackproof
