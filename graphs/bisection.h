// Finds the nodes that make a group step fail or hang: halves of a failing group, filled in with known-good nodes to
// its size, many groups at once, until each bad node stands alone.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace rackproof {

// Pure state: `next` says what to run, `took` what became of it. k bad nodes in groups of N cost at most k·⌈log2 N⌉ + k
// group runs; an interaction may cost as many again.
class Bisection {
 public:
  using Group = std::vector<std::size_t>;  // indices of nodes

  // The groups of the first run that failed or hung, and those that passed: the known good. The failed ones must have
  // no node in common.
  Bisection(const std::vector<Group>& failed, const std::vector<Group>& passed);

  // Groups to run at once, without a node in common; empty when nothing is left to run. The same until `took`.
  const std::vector<Group>& next() const { return running_; }
  // Which of them passed, in the same order.
  void took(const std::vector<bool>& passed);

  struct Culprit {
    std::size_t node = 0;
    // Seen to fail beside known-good nodes only; otherwise found by elimination: its group fails with it and passes
    // without it.
    bool seen = false;
  };
  const std::vector<Culprit>& bad() const { return bad_; }
  // Smallest sets that failed together though each part of them passed: an interaction, or a matter of size.
  const std::vector<Group>& interactions() const { return interactions_; }
  // Sets that hold a bad node which cannot be parted further: there is no known-good node to run one of them with.
  const std::vector<Group>& undecided() const { return undecided_; }
  std::size_t runs() const { return runs_; }  // group runs taken so far, the first run not among them
  // Nodes that passed in some run.
  const Group& good() const { return good_; }
  // Whether a run had to be smaller than the group that had failed, for want of known-good nodes.
  bool was_short() const { return short_; }

  // One sentence for each culprit, interaction and undecided set; `names` are those of the nodes.
  std::vector<std::string> sentences(const std::vector<std::string>& names) const;

 private:
  enum class Asking { half, alone, rest };
  // The search in one group that failed.
  struct Search {
    Group group;                     // as it failed first
    Group smallest;                  // smallest set seen to fail that no found node accounts for
    Group suspect;                   // holds a bad node, seen to or inferred
    Group unknown;                   // set aside: may hold more
    std::vector<std::size_t> found;  // nodes in bad_
    Asking asking = Asking::half;
    Group asked;       // what the next run is about
    bool seen = true;  // `suspect` failed in a run; else what it was parted from passed
    bool over = false;
  };

  void plan();
  static void ask(Search&);
  Group members(const Search&) const;  // of the next run, before it is filled in
  void took(Search&, bool passed);
  void blame(Search&, bool seen);
  void contradict(Search&);
  void clear(const Group&);

  std::vector<Search> searches_;
  std::vector<Group> running_;
  std::vector<std::size_t> running_for_;  // indices into searches_
  std::vector<Culprit> bad_;
  std::vector<Group> interactions_;
  std::vector<Group> undecided_;
  Group good_;
  std::set<std::size_t> is_good_;
  std::size_t runs_ = 0;
  bool short_ = false;
};

}  // namespace rackproof
