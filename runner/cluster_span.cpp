// The steps that span nodes: who takes part, the rounds, further passes until nothing is open, and the verdicts.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "graphs/judge.h"
#include "graphs/span_judge.h"
#include "runner/cluster_run.h"
#include "runner/pairing.h"

namespace rackproof {
namespace {

using std::chrono::milliseconds;
using Fate = AgentEnd::Fate;

// Of one step: a second pass, or the search for bad nodes in a group of a hundred thousand.
constexpr int kMostPasses = 40;

PairingOrder order_of(const Span& span) {
  PairingOrder order;
  order.rounds = static_cast<std::size_t>(span.rounds);
  switch (span.of) {
    case Span::Of::pairs: order.on = Meeting::pairs; break;
    case Span::Of::rings:
      order.on = Meeting::rings;
      order.rounds = 1;
      break;
    case Span::Of::groups:
      order.on = Meeting::groups;
      order.group = static_cast<std::size_t>(span.size);
      break;
    case Span::Of::all: order.on = Meeting::all; break;
  }
  switch (span.within) {
    case Span::Within::leaf: order.within = Within::leaf; break;
    case Span::Within::rack: order.within = Within::rack; break;
    case Span::Within::any: order.within = Within::any; break;
  }
  return order;
}

// A ring as two rounds of pairs: every second neighbourhood in the first, the others in the second.
std::vector<RankRound> neighbours(const RankRound& rings) {
  std::vector<RankRound> rounds(2);
  for (const RankGroup& ring : rings) {
    for (std::size_t i = 0; i + 1 < ring.size(); ++i) rounds[i % 2].push_back({ring[i], ring[i + 1]});
    if (ring.size() > 2 && ring.size() % 2 == 0) rounds[1].push_back({ring.back(), ring.front()});
  }
  std::erase_if(rounds, [](const RankRound& round) { return round.empty(); });
  return rounds;
}

NodePlace place_of(const ClusterNode& node) { return {.node = node.name, .leaf = node.leaf, .rack = node.rack}; }

bool ended_well(const Ending& ending) { return ending.how == Ending::How::exited && ending.code == 0; }

}  // namespace

milliseconds longest_time(const Step& step) {
  const auto processes = static_cast<long>(1 + 2 * step.watch.size());
  return processes * (step.timeout + 2 * step.grace);
}

std::size_t ClusterRun::fabric_trial(std::size_t step) const {
  return static_cast<std::size_t>(run_.find_trial(fmt::format("{}@{}", run_.steps[step].id, kFabric)) -
                                  run_.trials.data());
}

// On the nodes that passed what it needs. The others are judged at once: blocked, or lost.
std::vector<std::size_t> ClusterRun::participants(std::size_t step) {
  std::vector<std::size_t> taking_part;
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    const TrialRecord& trial = run_.trials[trial_of(node, step)];
    if (trial.verdict) continue;
    const bool is_ready = std::ranges::all_of(trial.needs, [&](std::size_t need) {
      const auto& verdict = run_.trials[need].verdict;
      return verdict && lets_others_start(verdict->outcome);
    });
    if (!is_ready) {
      write(TrialJudged{trial.id, blocked(run_, trial)}, trial.node);
    } else if (!nodes_[node].lost.empty()) {
      close(trial_of(node, step), nodes_[node].lost, Ending::How::not_started);
    } else {
      taking_part.push_back(node);
    }
  }
  return taking_part;
}

std::vector<RankRound> ClusterRun::first_rounds(std::size_t step, const std::vector<std::size_t>& taking_part) const {
  const Span& span = *run_.steps[step].span;
  std::vector<NodePlace> places;
  for (const std::size_t node : taking_part) places.push_back(place_of(nodes_[node].about));
  std::vector<RankRound> rounds = pairing(places, order_of(span));
  if (span.of == Span::Of::rings && !rounds.empty()) rounds = neighbours(rounds.front());
  for (RankRound& round : rounds) {
    for (RankGroup& group : round) {
      for (std::size_t& member : group) member = taking_part[member];
    }
  }
  return rounds;
}

void ClusterRun::span(std::size_t step) {
  const std::size_t fabric = fabric_trial(step);
  if (run_.trials[fabric].verdict) return;
  const std::vector<std::size_t> nodes = participants(step);
  if (nodes.size() < 2) {
    const std::string why = fmt::format("needs two nodes at least, and {} passed what it needs", nodes.size());
    for (const std::size_t node : nodes) close(trial_of(node, step), why, Ending::How::not_started);
    write(TrialJudged{run_.trials[fabric].id, Verdict{Outcome::blocked, "not tried: it " + why, {}, {}}}, kFabric);
    return;
  }
  parts_.clear();
  passes_ = 0;
  measure(step, first_rounds(step, nodes), 0);
  std::int64_t next_round = run_.steps[step].span->rounds;
  for (int pass = 1; pass < kMostPasses && interrupted_.empty(); ++pass) {
    std::vector<std::size_t> ended_badly;
    for (const auto& [trial, part] : parts_) {
      const bool is_done = part.last_word && std::holds_alternative<Done>(*part.last_word);
      if (part.ending && (!ended_well(*part.ending) || !is_done)) ended_badly.push_back(trial);
    }
    std::vector<RankRound> rounds = open_questions(run_, step, ended_badly);
    if (rounds.empty()) break;
    const auto number = static_cast<std::int64_t>(rounds.size());
    for (RankRound& round : rounds) {
      for (RankGroup& group : round) {
        for (std::size_t& member : group) member = index_.at(run_.trials[member].node);
      }
    }
    measure(step, std::move(rounds), next_round);
    next_round += number;
  }
  if (interrupted_.empty()) judge_spanning(step, nodes);
}

// Until each of its nodes has ended or is lost: an engine that takes all down with one is started again for the others.
void ClusterRun::measure(std::size_t step, std::vector<RankRound> rounds, std::int64_t first_round) {
  for (int launches = 1; launches <= kMostLaunches && interrupted_.empty(); ++launches) {
    const std::vector<std::size_t> left = measure_once(step, rounds, first_round, launches == kMostLaunches);
    if (left.empty()) return;
    const std::set<std::size_t> wanted(left.begin(), left.end());
    for (RankRound& round : rounds) {
      for (RankGroup& group : round) std::erase_if(group, [&](std::size_t node) { return !nodes_[node].lost.empty(); });
      std::erase_if(round, [&](const RankGroup& group) {
        return group.size() < 2 || std::ranges::none_of(group, [&](std::size_t node) { return wanted.contains(node); });
      });
    }
    if (std::ranges::all_of(rounds, &RankRound::empty)) return;
  }
}

// Returns the nodes that could not do their work because of another.
std::vector<std::size_t> ClusterRun::measure_once(std::size_t step, const std::vector<RankRound>& rounds,
                                                  std::int64_t first_round, bool is_last) {
  std::set<std::size_t> taking_part;
  for (const RankRound& round : rounds) {
    for (const RankGroup& group : round) taking_part.insert(group.begin(), group.end());
  }
  const std::vector<std::size_t> chosen(taking_part.begin(), taking_part.end());
  std::map<std::size_t, std::size_t> rank_of;
  for (std::size_t rank = 0; rank < chosen.size(); ++rank) rank_of[chosen[rank]] = rank;

  AgentRequest request = asking(AgentRequest::Work::span, chosen);
  request.step = run_.steps[step].id;
  request.pass = passes_++;
  request.rounds.resize(static_cast<std::size_t>(first_round));
  for (const RankRound& round : rounds) {
    RankRound& of_ranks = request.rounds.emplace_back(round);
    for (RankGroup& group : of_ranks) {
      for (std::size_t& member : group) member = rank_of.at(member);
    }
  }
  std::set<std::size_t> ended;
  const AgentCalls calls{.word = [](std::size_t, const AgentWord&) {},
                         .event =
                             [&](std::size_t rank, const Event& event) {
                               on_span(chosen[rank], step, event);
                               const auto* end = std::get_if<TrialEnded>(&event.body);
                               if (end != nullptr && !was_interrupted(end->ending)) ended.insert(chosen[rank]);
                             },
                         .tick = [&] { if (listener_) listener_(nullptr, run_); }};
  const LaunchEnd end = launch(chosen, std::move(request), calls, longest_time(run_.steps[step]));
  std::vector<std::size_t> again;
  if (!interrupted_.empty()) return again;
  const bool any_named = std::ranges::any_of(end.ends, &AgentEnd::is_named);
  const bool any_lost = std::ranges::any_of(end.ends, [](const AgentEnd& agent) {
    return agent.fate != Fate::done && agent.fate != Fate::troubled;
  });
  for (std::size_t rank = 0; rank < chosen.size(); ++rank) {
    const std::size_t node = chosen[rank];
    const AgentEnd& agent = end.ends[rank];
    Part& part = parts_[trial_of(node, step)];
    // Slurm answers nobody for a while where one of the ranks was never started, or is gone.
    const bool is_troubled = part.last_word && std::holds_alternative<Troubled>(*part.last_word);
    if (ended.contains(node) && is_troubled && any_lost && !is_last) {
      part = {};
      again.push_back(node);
    }
    if (ended.contains(node)) continue;
    Ending ending;
    ending.how = Ending::How::stopped;
    ending.why = agent.fate == Fate::done ? "was ended by its engine" : agent.why;
    part.ending = ending;
    const bool is_cut_off = agent.fate == Fate::cut_off || agent.fate == Fate::done;
    const bool was_taken_down = is_cut_off && !agent.is_named && any_named;
    if (was_taken_down) {
      again.push_back(node);
    } else if (agent.fate != Fate::troubled) {
      nodes_[node].lost = agent.why;
    }
  }
  return again;
}

// The last word and the end of each pass are held back: the trial goes on until the last of them.
void ClusterRun::on_span(std::size_t node, std::size_t step, const Event& event) {
  const std::size_t index = trial_of(node, step);
  const std::string& id = run_.trials[index].id;
  const std::string& name = nodes_[node].about.name;
  const std::int64_t at_us = event.at_us - nodes_[node].clock_offset_us;
  if (const auto* started = std::get_if<TrialStarted>(&event.body)) {
    if (started->trial != id || parts_.contains(index)) return;
    parts_[index];
    write(*started, name, at_us);
  } else if (const auto* reported = std::get_if<Reported>(&event.body)) {
    if (reported->trial != id) return;
    const bool is_last = reported->watch.empty() && is_last_word(reported->report);
    Part& part = parts_[index];
    if (!is_last) {
      write(*reported, name, at_us);
    } else if (!part.last_word || !std::holds_alternative<Troubled>(*part.last_word)) {
      part.last_word = reported->report;
    }
  } else if (const auto* ended = std::get_if<TrialEnded>(&event.body)) {
    if (ended->trial != id || was_interrupted(ended->ending)) return;
    Part& part = parts_[index];
    // What the engine cut off and was run again did not end badly.
    const bool stands = part.ending && !ended_well(*part.ending) && part.ending->how != Ending::How::stopped;
    if (!stands) part.ending = ended->ending;
  }
}

void ClusterRun::judge_spanning(std::size_t step, const std::vector<std::size_t>& taking_part) {
  for (const std::size_t node : taking_part) {
    const std::size_t trial = trial_of(node, step);
    const std::string id = run_.trials[trial].id;
    const std::string& name = nodes_[node].about.name;
    const auto found = parts_.find(trial);
    Part part = found == parts_.end() ? Part{} : found->second;
    if (!part.ending) {
      part.ending.emplace();
      part.ending->how = Ending::How::not_started;
      part.ending->why = "no other node was left to measure with";
    }
    if (!run_.trials[trial].started) write(TrialStarted{id}, name);
    if (part.last_word) write(Reported{id, *part.last_word, ""}, name);
    write(TrialEnded{id, *part.ending}, name);
  }
  const std::size_t fabric = fabric_trial(step);
  const std::string id = run_.trials[fabric].id;
  write(TrialStarted{id}, kFabric);
  for (const std::size_t node : taking_part) {
    const std::string by = run_.trials[trial_of(node, step)].simulated();
    if (by.empty()) continue;
    write(Reported{id, Simulated{by}, ""}, kFabric);
    break;
  }
  write(Reported{id, Done{}, ""}, kFabric);
  write(TrialEnded{id, Ending{}}, kFabric);
  const auto verdicts = judge_span(run_, step);
  for (const auto& [trial, verdict] : verdicts) {
    write(TrialJudged{run_.trials[trial].id, verdict}, run_.trials[trial].node);
  }
  for (const auto& [trial, verdict] : verdicts) run_.forget_reports(trial, referred_);
  sync_now_and_then();
}

}  // namespace rackproof
