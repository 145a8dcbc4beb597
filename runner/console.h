// Shows a run as a climb: layers from the bottom, each step with its verdict, time and numbers, and at the end a sentence
// for whatever did not pass; a run on many nodes as a table of nodes and layers. The same for a run that happens now and
// for one that is replayed.
#pragma once

#include <map>
#include <ostream>
#include <set>
#include <string>

#include "graphs/run.h"
#include "runner/terminal.h"

namespace rackproof {

struct ConsoleChoices {
  bool quiet = false;  // nothing but the sentences of what did not pass
  std::map<std::string, std::int64_t> expected_us;  // by step: how long it took last time
};

class Console {
 public:
  Console(std::ostream& out, Terminal, ConsoleChoices);

  void on(const Event*, const Run&);  // as Listener
  // The whole of a run that was read from its journal.
  void replay(const Run&);

 private:
  void begin(const Run&);
  void trial_ended(const Run&, std::size_t trial);
  void print_held_back(const Run&, std::size_t before);
  void print_trial(const Run&, const TrialRecord&);
  void sentences(const Run&);
  void sentence(const Run&, std::size_t trial, const std::vector<std::size_t>& same);
  void last_line(const Run&);
  void node_lines(const Run&);
  void live_line(const Run&);
  void live_table(const Run&);
  void erase_live_line();

  std::ostream& out_;
  Terminal terminal_;
  ConsoleChoices choices_;
  std::string layer_;      // whose heading was printed last
  std::set<std::size_t> held_back_;  // blocked trials, until the climb has come to their place
  std::string last_note_;  // of the running trial
  std::size_t live_lines_ = 0;  // that are shown now, and will be drawn over
  std::int64_t draw_again_us_ = 0;
};

}  // namespace rackproof
