#include "graphs/bisection.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace rackproof {

namespace {

bool has(const Bisection::Group& group, std::size_t node) {
  return std::find(group.begin(), group.end(), node) != group.end();
}

Bisection::Group without(const Bisection::Group& group, const Bisection::Group& others) {
  Bisection::Group left;
  const std::set<std::size_t> gone(others.begin(), others.end());
  for (const std::size_t node : group) {
    if (!gone.contains(node)) left.push_back(node);
  }
  return left;
}

}  // namespace

Bisection::Bisection(const std::vector<Group>& failed, const std::vector<Group>& passed) {
  for (const Group& group : passed) clear(group);
  for (const Group& group : failed) {
    if (group.empty()) continue;
    Search search;
    search.group = search.smallest = group;
    search.suspect = without(group, good_);
    search.seen = search.suspect.size() == group.size();
    if (search.suspect.empty()) contradict(search);
    // A group of one has nobody else to be at fault.
    else if (group.size() == 1)
      blame(search, true);
    searches_.push_back(search);
  }
  plan();
}

void Bisection::clear(const Group& nodes) {
  for (const std::size_t node : nodes) {
    if (is_good_.insert(node).second) good_.push_back(node);
  }
}

void Bisection::ask(Search& search) {
  if (search.suspect.size() > 1) {
    search.asking = Asking::half;
    const std::size_t half = (search.suspect.size() + 1) / 2;
    search.asked.assign(search.suspect.begin(), search.suspect.begin() + static_cast<std::ptrdiff_t>(half));
    return;
  }
  // The last one left: what was set aside is tried without it. When all else has passed, it is tried itself.
  search.asking = search.unknown.empty() ? Asking::alone : Asking::rest;
  search.asked = search.unknown.empty() ? search.suspect : search.unknown;
}

Bisection::Group Bisection::members(const Search& search) const {
  if (search.asking != Asking::rest) return search.asked;
  return without(without(search.group, search.found), search.suspect);
}

void Bisection::plan() {
  running_.clear();
  running_for_.clear();
  std::set<std::size_t> used;
  for (std::size_t i = 0; i < searches_.size(); ++i) {
    Search& search = searches_[i];
    if (search.over) continue;
    ask(search);
    running_.push_back(members(search));
    running_for_.push_back(i);
    used.insert(running_.back().begin(), running_.back().end());
  }
  auto spare = good_.begin();
  const auto fill = [&](Group& run, std::size_t size) {
    for (; run.size() < size && spare != good_.end(); ++spare) {
      if (!used.contains(*spare)) run.push_back(*spare);
    }
  };
  // A step of several nodes shows nothing with one alone: a first partner for each before more for any.
  for (Group& run : running_) fill(run, 2);
  for (std::size_t i = 0; i < running_.size(); ++i) fill(running_[i], searches_[running_for_[i]].group.size());

  std::vector<Group> runs;
  std::vector<std::size_t> runs_for;
  for (std::size_t i = 0; i < running_.size(); ++i) {
    const Search& search = searches_[running_for_[i]];
    const std::size_t size = search.group.size();
    // Filled in with nobody but its own it would be the group that failed, and show nothing.
    if (size > 2 && running_[i].size() == size && without(search.group, running_[i]).empty()) running_[i].pop_back();
    if (running_[i].size() < std::min<std::size_t>(2, size)) continue;  // waits for a node that another search clears
    if (running_[i].size() < size) short_ = true;
    runs.push_back(running_[i]);
    runs_for.push_back(running_for_[i]);
  }
  if (runs.empty() && !running_.empty()) {
    // Nobody clears a node any more. What was set aside may hold some.
    for (const std::size_t i : running_for_) {
      Search& search = searches_[i];
      undecided_.push_back(search.suspect);
      search.suspect = std::move(search.unknown);
      search.unknown.clear();
      search.seen = false;
      if (search.suspect.size() < 2) search.over = true;
    }
    plan();
    return;
  }
  running_ = std::move(runs);
  running_for_ = std::move(runs_for);
}

void Bisection::took(const std::vector<bool>& passed) {
  if (passed.size() != running_.size()) throw std::invalid_argument("an outcome for each group that was run");
  runs_ += running_.size();
  for (std::size_t i = 0; i < passed.size(); ++i) took(searches_[running_for_[i]], passed[i]);
  plan();
}

void Bisection::took(Search& search, bool passed) {
  if (passed) clear(search.asked);
  switch (search.asking) {
    case Asking::half:
      if (passed) {
        search.suspect = without(search.suspect, search.asked);
        search.seen = false;
        return;
      }
      for (const std::size_t node : without(search.suspect, search.asked)) search.unknown.push_back(node);
      search.suspect = search.asked;
      search.seen = true;
      if (search.suspect.size() < search.smallest.size()) search.smallest = search.suspect;
      if (search.suspect.size() == 1) blame(search, true);
      return;
    case Asking::alone:
      passed ? contradict(search) : blame(search, true);
      return;
    case Asking::rest:
      if (!search.suspect.empty()) blame(search, false);
      search.suspect = std::move(search.unknown);
      search.unknown.clear();
      search.over = passed;
      search.seen = true;
      search.smallest = without(search.group, search.found);
      return;
  }
}

void Bisection::blame(Search& search, bool seen) {
  bad_.push_back({search.suspect[0], seen});
  search.found.push_back(search.suspect[0]);
  search.suspect.clear();
  search.over = search.unknown.empty();
}

void Bisection::contradict(Search& search) {
  // Whom only elimination has found may be no more than one side of it.
  Group together = search.smallest;
  for (const std::size_t node : search.found) {
    const auto at = std::find_if(bad_.begin(), bad_.end(), [&](const Culprit& one) { return one.node == node; });
    if (at == bad_.end() || at->seen) continue;
    if (!has(together, node)) together.push_back(node);
    bad_.erase(at);
  }
  interactions_.push_back(std::move(together));
  search.over = true;
}

std::vector<std::string> Bisection::sentences(const std::vector<std::string>& names) const {
  std::vector<std::string> all;
  const auto list = [&](const Group& group) {
    std::string text;
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (i > 0) text += i + 1 == group.size() ? " and " : ", ";
      text += names[group[i]];
    }
    return text;
  };
  for (const Culprit& one : bad_) {
    all.push_back(one.seen ? fmt::format("{}: known-good nodes fail as soon as it is one of them", names[one.node])
                           : fmt::format("{}: its group fails with it and passes without it", names[one.node]));
  }
  for (const Group& group : interactions_) {
    all.push_back(fmt::format("{} fail together though each part of them passes: an interaction{}", list(group),
                              short_ ? ", or a matter of size, since smaller groups were run than had failed" : ""));
  }
  for (const Group& group : undecided_) {
    all.push_back(fmt::format("at least one of {}: there is no known-good node to run one of them with", list(group)));
  }
  return all;
}

}  // namespace rackproof
