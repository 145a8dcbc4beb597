// A run as its events tell it: steps, trials, and what is known of each. Built event by event, live or from a journal.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graphs/event.h"

namespace rackproof {

struct WatchedReport {
  std::string watch;
  Report report;
};

struct TrialRecord {
  std::string id;  // "links@node7"
  std::string node;
  std::size_t step = 0;            // index into Run::steps
  std::vector<std::size_t> needs;  // indices into Run::trials
  bool started = false;
  std::int64_t started_us = 0;
  std::vector<Report> reports;  // the check's own words, in order
  std::vector<WatchedReport> watched;
  std::optional<Ending> ending;
  std::optional<Verdict> verdict;

  bool open() const { return started && !verdict; }
  // What simulated its evidence; empty when it came from hardware.
  std::string simulated() const;
};

// The last that was said of a device on a node.
struct KnownDevice {
  std::string kind;
  std::string name;
};

class Run {
 public:
  // Empty when the event fits; otherwise why it cannot belong to this run, which is then unchanged.
  std::string apply(const Event&);

  RunStarted about;
  std::string node;  // that planned it
  std::int64_t started_us = 0;
  std::int64_t last_us = 0;
  std::int64_t resumed = 0;
  std::optional<RunEnded> ended;
  std::vector<Step> steps;
  std::vector<TrialRecord> trials;

  const Step& step_of(const TrialRecord& trial) const { return steps[trial.step]; }
  const TrialRecord* find_trial(std::string_view id) const;
  std::optional<std::size_t> find_step(std::string_view id) const;

  // nullptr when no trial on the node has reported the device.
  const KnownDevice* find_device(std::string_view node, std::string_view id) const;
  // Whether any device seen on the node is one that the match is for.
  bool has_seen(std::string_view node, const Match&) const;
  // Drops what a judged trial reported, but for the metrics named: a long run need not fit into memory.
  void forget_reports(std::size_t trial, const std::vector<std::string>& keep_metrics);

  // The greatest outcome of all trials so far; skip when there is none.
  Outcome outcome() const;
  // Whether any evidence was simulated.
  bool simulated() const;

 private:
  struct Applier;
  std::unordered_map<std::string, std::size_t> trial_index_;
  std::unordered_map<std::string, std::size_t> step_index_;
  std::map<std::string, std::map<std::string, KnownDevice, std::less<>>, std::less<>> devices_;  // by node, by id
};

}  // namespace rackproof
