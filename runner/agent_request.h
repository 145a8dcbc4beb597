// What the controller asks of the agents that an engine starts for it, one a node, and what they say beside their events.
// It travels in the environment: engines pass that on to every rank, whatever its length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rackproof {

// By rank; each rank is in at most one group of a round.
using RankGroup = std::vector<std::size_t>;
using RankRound = std::vector<RankGroup>;

struct AgentRequest {
  enum class Work {
    climb,   // the steps that each node runs by itself
    span,    // one step, together with others
    forget,  // clear away what is kept of the run on the node
  };
  Work work = Work::climb;
  std::string run;                 // id
  std::vector<std::string> nodes;  // by rank
  std::string recipe;              // absolute path
  std::vector<std::string> limits;
  std::vector<std::string> sets;
  std::string sysroot;
  std::string profile;
  std::vector<std::string> faults;
  std::string checks;
  std::string version;
  std::string digest;             // of the recipe as the controller read it
  std::string step;               // for Work::span
  std::int64_t pass = 0;          // of that step
  std::vector<RankRound> rounds;  // of that step
};

// "NAME=value" each.
std::vector<std::string> to_environment(const AgentRequest&);
// Throws InputError where this process was not started as an agent.
AgentRequest agent_request_from_environment();

// What an agent says that is no event of the run.
struct AgentWord {
  enum class Kind {
    hello,  // first of all
    beat,   // nothing happened for a while, and it lives
    bye,    // last of all
  };
  Kind kind = Kind::beat;
  std::int64_t at_us = 0;  // by the node's clock
  std::string version;     // of a hello
  std::string digest;      // of a hello: of the recipe as this node reads it
  std::string trouble;     // of a bye: why it could not do its work
};
std::string encode(const AgentWord&);
// Nothing for what is no such word: an event.
std::optional<AgentWord> agent_word_in(std::string_view line);

}  // namespace rackproof
