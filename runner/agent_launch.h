// One launch of agents by an engine: what each of them says, who is silent, and how each came to its end.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "graphs/event.h"
#include "runner/agent_request.h"
#include "runner/launcher.h"

namespace rackproof {

struct AgentBounds {
  std::chrono::milliseconds answers_within{60'000};  // from the launch to the first word
  std::chrono::milliseconds silent_for{30'000};      // at most; agents say something every two seconds
  std::chrono::milliseconds whole{3'600'000};        // the launch
};

struct AgentEnd {
  enum class Fate {
    done,
    troubled,        // it said why it could not do its work
    never_answered,
    went_silent,     // it answered, and then no more
    cut_off,         // the engine ended it, or its words were lost on the way
  };
  Fate fate = Fate::never_answered;
  std::string why;       // a sentence without its subject; empty when done
  bool is_named = false;  // the engine's own words name its node
};

// By rank.
struct AgentCalls {
  std::function<void(std::size_t rank, const AgentWord&)> word;
  std::function<void(std::size_t rank, const Event&)> event;
  std::function<void()> tick;  // about five times a second
};

struct LaunchEnd {
  std::vector<AgentEnd> ends;  // by rank
  bool any_answered = false;
  int signal = 0;  // that reached this process meanwhile
};

// Returns when every agent has ended or was given up, within the bounds whatever happens. `hosts` are the names by which
// the engine speaks of the ranks; `launch` is what starts them.
LaunchEnd launch_agents(Launcher&, Launch launch, const std::vector<std::string>& hosts, const AgentBounds&,
                        const AgentCalls&);

}  // namespace rackproof
