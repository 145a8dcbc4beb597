// An engine whose agents are played from a script: what each node says in a launch, and how the launch ends.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "runner/agent_request.h"
#include "runner/clock.h"
#include "runner/launcher.h"
#include "runner/version.h"

namespace rackproof::test {

class FakeEngine : public Launcher {
 public:
  struct Play {
    AgentRequest request;
    std::size_t rank = 0;
    std::string node;
    int launch = 0;  // from 1
    std::vector<std::string> lines;

    void say(const std::string& line) { lines.push_back(line); }
    void say(EventBody body) { say(encode(Event{now_us(), node, std::move(body)})); }
    void hello(const std::string& version = kVersion) {
      say(encode(AgentWord{AgentWord::Kind::hello, now_us() + clock_us, version, request.digest, ""}));
    }
    void bye(const std::string& trouble = "") { say(encode(AgentWord{AgentWord::Kind::bye, now_us(), "", "", trouble})); }
    void trial(const std::string& id, const std::vector<Report>& reports, const Ending& ending = {}) {
      say(TrialStarted{id});
      for (const Report& report : reports) say(Reported{id, report, ""});
      say(TrialEnded{id, ending});
    }
    std::int64_t clock_us = 0;  // how far its clock is ahead
  };

  // What a node does when it is asked; a node that says no bye keeps the launch open until it is stopped.
  std::function<void(Play&)> act;
  // The engine ends by itself when its agents have said all, with these words.
  bool ends_by_itself = true;
  std::string errors;
  std::vector<AgentRequest> requests;
  std::vector<std::size_t> dropped_frames;  // of rank 0, by number

  Launch launch_for(const AgentRequest& request) {
    requests.push_back(request);
    return {.trial = "engine", .argv = {"engine"}};
  }

  void start(const Launch&) override {
    const AgentRequest& request = requests.back();
    bool all_done = true;
    for (std::size_t rank = 0; rank < request.nodes.size(); ++rank) {
      Play play{request, rank, request.nodes[rank], static_cast<int>(requests.size()), {}, 0};
      act(play);
      for (std::size_t i = 0; i < play.lines.size(); ++i) {
        const bool is_dropped = rank == 0 && std::ranges::count(dropped_frames, i) > 0;
        if (!is_dropped) happenings.push_back(Said{"engine", "@rackproof " + std::to_string(rank) + " " + std::to_string(i) + " . " + play.lines[i]});
      }
      all_done = all_done && !play.lines.empty() && play.lines.back().find("\"bye\"") != std::string::npos;
    }
    if (all_done || ends_by_itself) happenings.push_back(Finished{"engine", {}, errors});
  }
  Happening wait(std::chrono::milliseconds at_most) override {
    if (happenings.empty()) {
      ::usleep(static_cast<useconds_t>(std::min<long>(at_most.count(), 5) * 1000));
      return Quiet{};
    }
    Happening first = happenings.front();
    happenings.pop_front();
    return first;
  }
  void stop(const std::string& trial, const std::string&) override { happenings.push_back(Finished{trial, {}, errors}); }

  std::deque<Happening> happenings;
};

}  // namespace rackproof::test
