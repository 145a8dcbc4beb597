// `rackproof agent`: a node's part of a run on many nodes. Engines start it, one a node; it sends its events over stdout
// in frames, and keeps its journal on the node until the controller has all of it.
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>

#include "runner/agent_request.h"
#include "runner/clock.h"
#include "runner/commands.h"
#include "runner/digest.h"
#include "runner/frames.h"
#include "runner/prepared_run.h"
#include "runner/ranked_launcher.h"
#include "runner/simulation.h"
#include "runner/version.h"

namespace rackproof {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kBeatUs = 2'000'000;
constexpr const char* kKeptIn = "/var/tmp";

// The rank that the engine gives this process.
std::size_t own_rank(const AgentRequest& request) {
  for (const char* name : {"SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMIX_RANK"}) {
    const char* text = std::getenv(name);
    if (text == nullptr) continue;
    std::size_t rank = 0;
    const char* const end = text + std::strlen(text);
    if (std::from_chars(text, end, rank) == std::from_chars_result{end, std::errc{}} && rank < request.nodes.size()) return rank;
    throw InputError(fmt::format("agent: {}={} is no rank of this run", name, text));
  }
  throw InputError("agent: the engine that started it gives it no rank");
}

std::string kept_prefix(const AgentRequest& request, const std::string& node) {
  return fmt::format("rackproof-agent-{}-{}", request.run, node);
}

// Everybody may write in /var/tmp: what lies there under our name may be somebody else's.
void refuse_foreign(const std::string& folder) {
  struct stat facts {};
  if (::lstat(folder.c_str(), &facts) != 0) throw std::runtime_error(fmt::format("{}: {}", folder, std::strerror(errno)));
  if (!S_ISDIR(facts.st_mode) || facts.st_uid != ::geteuid() || (facts.st_mode & 022) != 0) {
    throw std::runtime_error(fmt::format("{}: is not a folder that only this user can write to", folder));
  }
}

// The climb's journal bears this name, those of spanning steps NAME+STEP+PASS: '+' stands in no name of a node or step, so
// that "node-1" never clears what is of "node-1-2".
void forget(const AgentRequest& request, const std::string& node) {
  const std::string prefix = kept_prefix(request, node);
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(kKeptIn, ignored)) {
    const std::string name = entry.path().filename();
    if (name != prefix && !name.starts_with(prefix + "+")) continue;
    try {
      refuse_foreign(entry.path());
      fs::remove_all(entry.path(), ignored);
    } catch (const std::runtime_error&) {
      continue;
    }
  }
}

// "node07: gpu:3 link width 8" is for that node alone.
std::vector<std::string> own_faults(const AgentRequest& request, const std::string& node) {
  std::vector<std::string> own;
  for (const std::string& fault : request.faults) {
    const std::size_t colon = fault.find(": ");
    const bool is_for_one = colon != fault.npos && std::ranges::count(request.nodes, fault.substr(0, colon)) > 0;
    if (!is_for_one) own.push_back(fault);
    if (is_for_one && fault.substr(0, colon) == node) own.push_back(fault.substr(colon + 2));
  }
  return own;
}

// The part of the recipe that is asked for, without what it needs of other parts: the controller has seen to that.
Recipe part_of(Recipe recipe, const AgentRequest& request) {
  std::erase_if(recipe.steps, [&](const Step& step) {
    return request.work == AgentRequest::Work::span ? step.id != request.step : step.span.has_value();
  });
  if (request.work == AgentRequest::Work::span) {
    for (Step& step : recipe.steps) step.needs.clear();
  }
  return recipe;
}

class Agent {
 public:
  explicit Agent(AgentRequest request)
      : request_(std::move(request)),
        rank_(own_rank(request_)),
        node_(request_.nodes[rank_]),
        frames_(STDOUT_FILENO, rank_) {}

  void work() {
    std::string trouble;
    try {
      if (request_.work == AgentRequest::Work::forget) {
        forget(request_, node_);
        greet(request_.digest);
      } else {
        climb();
      }
    } catch (const std::exception& error) {
      if (!greeted_) greet("");
      trouble = error.what();
    }
    say(AgentWord::Kind::bye, "", "", trouble);
  }

 private:
  void greet(const std::string& digest) {
    say(AgentWord::Kind::hello, kVersion, digest);
    greeted_ = true;
  }

  void say(AgentWord::Kind kind, const std::string& version = "", const std::string& digest = "",
           const std::string& trouble = "") {
    send(encode(AgentWord{kind, now_us(), version, digest, trouble}));
  }

  // Open MPI marks its blocks by "<stdout>:", which must not stand in a line; in JSON it need not.
  void send(std::string line) {
    last_sent_us_ = now_us();
    for (std::size_t at = line.find('<'); at != line.npos; at = line.find('<', at)) line.replace(at, 1, "\\u003c");
    // Nobody listens any more: what this node does now is for nobody, and it ends as if it were told to.
    if (!frames_.send(line)) ::raise(SIGTERM);
  }

  void climb() {
    const bool is_simulated = !request_.profile.empty();
    const Installation installation = find_installation(request_.checks, is_simulated);
    std::optional<Simulation> simulation;
    const SimulationRequest simulated{.profile = request_.profile, .faults = own_faults(request_, node_)};
    if (is_simulated) simulation.emplace(installation, simulated);

    Catalog catalog(installation, simulation ? simulation->environment() : std::vector<std::string>{});
    Recipe recipe = read_recipe({request_.recipe, request_.limits, request_.sets}, catalog);
    const std::string digest = digest_of(recipe);
    greet(digest);
    // The controller has heard both, and says so better than this node could.
    if (request_.version != kVersion || request_.digest != digest) return;

    std::vector<std::string> environment{"LC_ALL=C"};
    if (!request_.sysroot.empty()) environment.push_back("RACKPROOF_SYSROOT=" + request_.sysroot);
    if (simulation) {
      const auto& more = simulation->environment();
      environment.insert(environment.end(), more.begin(), more.end());
    }
    recipe = part_of(std::move(recipe), request_);
    recipe.steps = needs_first(std::move(recipe.steps));
    if (recipe.steps.empty()) return;
    const bool spans = request_.work == AgentRequest::Work::span;
    std::unique_ptr<Launcher> launcher;
    if (spans) {
      auto ranked = std::make_unique<RankedLauncher>(installation, request_, rank_, environment);
      if (simulation) ranked->clear_at_the_end(simulation->folder());
      launcher = std::move(ranked);
    } else {
      auto local = std::make_unique<LocalLauncher>(std::vector<std::string>{installation.check_program, "--guard"},
                                                   environment);
      if (simulation) local->clear_at_the_end(simulation->folder());
      launcher = std::move(local);
    }
    PreparedRun prepared = begin(recipe, to_facts(simulated));
    Executor executor(prepared.run, Plan(prepared.run.steps, {node_}), *launcher, *prepared.journal,
                      command_maker(installation), [this](const Event* event, const Run&) { on(event); });
    executor.execute();
  }

  // What an earlier agent of this run kept on the node is sent as it is, and taken up where it ended.
  PreparedRun begin(const Recipe& recipe, Facts facts) {
    std::string name = kept_prefix(request_, node_);
    if (request_.work == AgentRequest::Work::span) name += fmt::format("+{}+{}", request_.step, request_.pass);
    const std::string folder = (fs::path(kKeptIn) / name).string();
    if (!fs::exists(fs::symlink_status(journal_path(folder)))) {
      if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        throw std::runtime_error(fmt::format("{}: {}", folder, std::strerror(errno)));
      }
      refuse_foreign(folder);
      return prepare(recipe, {node_}, {request_.run, node_, folder, std::move(facts)});
    }
    refuse_foreign(folder);
    PreparedRun prepared = take_up(folder);
    std::ifstream lines(journal_path(folder));
    for (std::string line; std::getline(lines, line) && !lines.eof();) send(line);
    return prepared;
  }

  void on(const Event* event) {
    if (event != nullptr) return send(encode(*event));
    if (now_us() - last_sent_us_ >= kBeatUs) say(AgentWord::Kind::beat);
  }

  const AgentRequest request_;
  const std::size_t rank_;
  const std::string node_;
  FrameWriter frames_;
  std::int64_t last_sent_us_ = 0;
  bool greeted_ = false;
};

}  // namespace

int agent() {
  ::signal(SIGPIPE, SIG_IGN);
  AgentRequest request = agent_request_from_environment();
  // Its ranks' engine must not take one node's trouble for its own: it was said, and the others go on.
  Agent(std::move(request)).work();
  return 0;
}

}  // namespace rackproof
