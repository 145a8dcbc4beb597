#include "runner/agent_launch.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

#include "graphs/decode.h"
#include "runner/frames.h"
#include "runner/tagged_output.h"

namespace rackproof {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Fate = AgentEnd::Fate;

constexpr milliseconds kTick{200};
// From the last agent's last word to the end of the engine, and from asking the engine to end to killing it.
constexpr milliseconds kEngineEndsWithin{5'000};
constexpr std::size_t kKeptWords = 50;  // lines of the engine

bool is_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

// Whether a line speaks of a host, as a word of its own: "node1" is not in "node17".
bool names(std::string_view line, std::string_view host) {
  for (std::size_t at = line.find(host); at != line.npos; at = line.find(host, at + 1)) {
    const bool begins = at == 0 || !is_of_name(line[at - 1]);
    const std::size_t end = at + host.size();
    const bool ends = end == line.size() || !is_of_name(line[end]);
    if (begins && ends) return true;
  }
  return false;
}

class AgentLaunch {
 public:
  AgentLaunch(Launcher& launcher, Launch launch, const std::vector<std::string>& hosts, const AgentBounds& bounds,
              const AgentCalls& calls)
      : launcher_(launcher), launch_(std::move(launch)), hosts_(hosts), bounds_(bounds), calls_(calls),
        agents_(hosts.size()), open_(hosts.size()) {}

  LaunchEnd run() {
    started_ = Clock::now();
    launch_.timeout = bounds_.whole;
    launch_.grace = kEngineEndsWithin;
    launcher_.start(launch_);
    while (!engine_ended_) {
      const Happening happening = launcher_.wait(kTick);
      std::visit([this](const auto& what) { on(what); }, happening);
      if (Clock::now() - looked_ >= kTick) look();
    }
    return end();
  }

 private:
  struct Agent {
    bool answered = false;
    bool over = false;  // it has said its last word, or was given up
    bool is_lost = false;
    Clock::time_point heard{};
    AgentEnd end;
  };

  void on(const Said& said) { take(output_.take(said.line)); }

  void take(std::string line) {
    const auto frame = frames_.take(line);
    if (!frame) return engine_says(std::move(line));
    if (frame->rank >= agents_.size()) return;
    Agent& agent = agents_[frame->rank];
    agent.heard = heard_any_ = Clock::now();
    if (agent.over) return;
    if (frame->is_lost) {
      agent.is_lost = true;
      return;
    }
    if (!frame->line) return;
    if (const auto word = agent_word_in(*frame->line)) return on_word(frame->rank, *word);
    const auto event = decoder_.event(*frame->line);
    if (event && agent.answered) return calls_.event(frame->rank, *event);
    agent.is_lost = true;
  }

  void on_word(std::size_t rank, const AgentWord& word) {
    Agent& agent = agents_[rank];
    if (word.kind == AgentWord::Kind::hello) agent.answered = true;
    if (word.kind == AgentWord::Kind::bye) {
      if (agent.is_lost) return give_up(rank, Fate::cut_off, "part of what it said was lost on the way");
      give_up(rank, word.trouble.empty() ? Fate::done : Fate::troubled, word.trouble);
    }
    calls_.word(rank, word);
  }

  void on(const Babbled& babbled) { engine_says(babbled.why); }
  void on(const Finished& finished) {
    engine_ended_ = true;
    for (std::string_view rest = finished.errors; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      engine_says(std::string(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    ending_ = finished.ending;
  }
  void on(const Interrupted& interrupted) {
    signal_ = interrupted.signal;
    for (std::size_t rank = 0; rank < agents_.size(); ++rank) {
      if (!agents_[rank].over) give_up(rank, Fate::cut_off, "was interrupted");
    }
  }
  static void on(const Quiet&) {}

  void engine_says(std::string line) {
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.pop_back();
    const bool is_rule = line.find_first_not_of("-= ") == line.npos;
    if (is_rule) return;
    words_.push_back(std::move(line));
    if (words_.size() > kKeptWords) words_.pop_front();
  }

  void give_up(std::size_t rank, Fate fate, std::string why) {
    Agent& agent = agents_[rank];
    agent.over = true;
    agent.end = {fate, std::move(why), false};
    if (--open_ == 0) all_over_ = Clock::now();
  }

  void look() {
    looked_ = Clock::now();
    for (std::size_t rank = 0; rank < agents_.size(); ++rank) {
      const Agent& agent = agents_[rank];
      if (agent.over) continue;
      if (!agent.answered && looked_ - started_ > bounds_.answers_within) {
        give_up(rank, Fate::never_answered,
                fmt::format("did not answer within {} s", bounds_.answers_within.count() / 1000));
      } else if (agent.answered && is_silent(agent)) {
        give_up(rank, Fate::went_silent, fmt::format("went silent for {} s", bounds_.silent_for.count() / 1000));
      }
    }
    // What is over for us may not be for the engine: it waits for those that will never end.
    if (open_ == 0 && !asked_to_end_ && (signal_ != 0 || looked_ - all_over_ > patience())) {
      asked_to_end_ = true;
      launcher_.stop(launch_.trial, "its agents have ended, or were given up");
    }
    calls_.tick();
  }

  // Longer than the others. An engine that holds all of them up, as Slurm does for some 15 s when a node loses its power,
  // is given twice the time.
  bool is_silent(const Agent& agent) const {
    return heard_any_ - agent.heard > bounds_.silent_for || looked_ - agent.heard > 2 * bounds_.silent_for;
  }

  // An engine whose agents are all done ends by itself, and has more to say when it may.
  milliseconds patience() const {
    const bool all_said_bye = std::ranges::all_of(agents_, [](const Agent& agent) {
      return agent.end.fate == Fate::done || agent.end.fate == Fate::troubled;
    });
    return all_said_bye ? kEngineEndsWithin : milliseconds{0};
  }

  LaunchEnd end() {
    LaunchEnd result;
    result.signal = signal_;
    for (std::size_t rank = 0; rank < agents_.size(); ++rank) {
      Agent& agent = agents_[rank];
      result.any_answered = result.any_answered || agent.answered;
      if (!agent.over) {
        agent.end = {agent.answered ? Fate::cut_off : Fate::never_answered,
                     agent.answered ? "was cut off" : "did not answer", false};
      }
      if (agent.end.fate != Fate::done && agent.end.fate != Fate::troubled) add_engine_words(agent.end, hosts_[rank]);
      result.ends.push_back(std::move(agent.end));
    }
    // An engine that names most of them names those that it gave up because of another.
    const auto named = static_cast<std::size_t>(std::ranges::count_if(result.ends, &AgentEnd::is_named));
    if (2 * named > result.ends.size() && result.ends.size() > 1) {
      for (AgentEnd& each : result.ends) each.is_named = false;
    }
    return result;
  }

  // What the engine says of this node, or else the first that it says at all.
  void add_engine_words(AgentEnd& end, const std::string& host) const {
    const auto about = std::ranges::find_if(words_, [&](const std::string& line) { return names(line, host); });
    end.is_named = about != words_.end();
    if (end.is_named) {
      end.why += ": " + *about;
    } else if (!words_.empty()) {
      end.why += ": " + words_.front();
    } else if (!ending_.why.empty() && !asked_to_end_) {
      end.why += ": " + ending_.why;
    }
  }

  Launcher& launcher_;
  Launch launch_;
  const std::vector<std::string>& hosts_;
  const AgentBounds& bounds_;
  const AgentCalls& calls_;
  std::vector<Agent> agents_;  // by rank
  std::size_t open_;           // agents that are not over
  TaggedOutput output_;
  FrameReader frames_;
  Decoder decoder_;
  std::deque<std::string> words_;  // of the engine
  Ending ending_;                  // of the engine
  Clock::time_point started_{};
  Clock::time_point looked_{};
  Clock::time_point heard_any_{};
  Clock::time_point all_over_{};
  bool engine_ended_ = false;
  bool asked_to_end_ = false;
  int signal_ = 0;
};

}  // namespace

LaunchEnd launch_agents(Launcher& launcher, Launch launch, const std::vector<std::string>& hosts,
                        const AgentBounds& bounds, const AgentCalls& calls) {
  return AgentLaunch(launcher, std::move(launch), hosts, bounds, calls).run();
}

}  // namespace rackproof
