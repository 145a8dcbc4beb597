#include "runner/engine.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <unordered_set>

#include "runner/child.h"
#include "runner/input_error.h"
#include "runner/node_set.h"
#include "runner/prepared_run.h"
#include "runner/slurm_topology.h"

namespace rackproof {
namespace {

namespace fs = std::filesystem;
using Kind = EngineRequest::Kind;

constexpr std::chrono::milliseconds kAnswersWithin{30'000};
// What Slurm may take to give nodes that are free.
constexpr int kAllocatedWithin = 60;  // s

// A program on the PATH.
std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder) / name;
    if (!folder.empty() && folder.front() == '/' && ::access(program.c_str(), X_OK) == 0) return program;
  }
  throw InputError(fmt::format("{} is not on the PATH: it is what starts the nodes' parts of the run", name));
}

std::string say(const std::vector<std::string>& argv) {
  const Ended ended = run_to_end(argv, kAnswersWithin);
  if (!ended.exit.signalled && ended.exit.code == 0) return ended.output;
  throw InputError(fmt::format("{} says: {}", fs::path(argv[0]).filename().string(),
                               ended.errors.substr(0, ended.errors.find('\n'))));
}

// Slurm's short words for nodes on which a job can be, without the marks behind them; '*' is "does not answer".
bool takes_jobs(std::string state) {
  if (state.find('*') != state.npos) return false;
  state.erase(std::ranges::find_if(state, [](char c) { return c < 'a' || c > 'z'; }), state.end());
  return state == "idle" || state == "alloc" || state == "mix" || state == "comp" || state == "resv" || state == "plnd";
}

struct Known {
  std::string state;
  std::string reason;
};

// By node, in Slurm's order, each once: a node is listed for each of its partitions.
std::vector<std::pair<std::string, Known>> nodes_of_slurm(const EngineRequest& request) {
  std::vector<std::string> argv{find_program("sinfo"), "--noheader", "--Node", "--format=%N|%t|%E"};
  if (!request.partition.empty()) argv.push_back("--partition=" + request.partition);
  std::istringstream lines(say(argv));
  std::vector<std::pair<std::string, Known>> known;
  std::unordered_set<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find('|');
    const std::size_t second = line.find('|', first + 1);
    if (second == line.npos) continue;
    const std::string name = line.substr(0, first);
    if (!names.insert(name).second) continue;
    std::string reason = line.substr(second + 1);
    while (reason.ends_with(' ')) reason.pop_back();
    known.emplace_back(name, Known{line.substr(first + 1, second - first - 1), std::move(reason)});
  }
  return known;
}

const char* allocation() { return std::getenv("SLURM_JOB_NODELIST"); }

using NameSet = std::unordered_set<std::string>;

NameSet names_in(const std::string& set) {
  const auto names = set.empty() ? std::vector<std::string>{} : expand_nodes(set);
  return {names.begin(), names.end()};
}

std::string trimmed(std::string text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_blank(text.back())) text.pop_back();
  text.erase(text.begin(), std::ranges::find_if_not(text, is_blank));
  return text;
}

// The hosts of an Open MPI or MPICH hostfile: the first word of each line, up to a ':'.
std::vector<std::string> hosts_in(const std::string& file) {
  std::ifstream lines(file);
  if (!lines) throw InputError(fmt::format("--hostfile {}: cannot be read", file));
  std::vector<std::string> hosts;
  NameSet seen;
  for (std::string line; std::getline(lines, line);) {
    line = trimmed(line.substr(0, line.find('#')));
    line = line.substr(0, line.find_first_of(" \t:"));
    if (!line.empty() && seen.insert(line).second) hosts.push_back(line);
  }
  if (hosts.empty()) throw InputError(fmt::format("--hostfile {}: names no host", file));
  return hosts;
}

}  // namespace

Engine::Engine(const EngineRequest& request)
    : kind_(request.kind), program_(find_program(request.kind == Kind::slurm ? "srun" : "mpirun")) {
  if (kind_ == Kind::slurm) {
    ask_slurm(request);
  } else {
    ask_mpi(request);
  }
}

void Engine::ask_slurm(const EngineRequest& request) {
  const auto known = nodes_of_slurm(request);
  const NameSet held = names_in(allocation() == nullptr ? "" : allocation());
  const NameSet asked = names_in(request.nodes);
  NameSet unknown = asked;
  for (const auto& [name, state] : known) unknown.erase(name);
  if (!unknown.empty()) {
    throw InputError(fmt::format("--nodes {}: Slurm knows no node '{}'", request.nodes, *std::ranges::min_element(unknown)));
  }
  // Slurm numbers tasks in its own order of the nodes.
  for (const auto& [name, state] : known) {
    const bool is_held = held.contains(name);
    const bool is_asked = asked.empty() ? is_held || !request.partition.empty() : asked.contains(name);
    if (!is_asked) continue;
    ClusterNode node{.name = name, .host = name};
    if (!is_held) {
      node.unusable = fmt::format("Slurm did not give it: it is {}{}", state.state,
                                  state.reason.empty() || state.reason == "none" ? "" : ", " + state.reason);
    }
    nodes_.push_back(std::move(node));
  }
  if (nodes_.empty()) throw InputError("Slurm gives no node to run on");
  ask_topology();
}

void Engine::ask_topology() {
  std::string said;
  try {
    said = say({find_program("scontrol"), "show", "topology"});
  } catch (const std::runtime_error&) {
    return;  // Slurm does not know it
  }
  const auto places = parse_topology(said);
  for (ClusterNode& node : nodes_) {
    const auto place = places.find(node.name);
    if (place == places.end()) continue;
    node.leaf = place->second.leaf;
    node.rack = place->second.rack;
  }
}

void Engine::ask_mpi(const EngineRequest& request) {
  std::vector<std::string> hosts;
  if (!request.hostfile.empty()) hosts = hosts_in(request.hostfile);
  if (!request.nodes.empty()) {
    const std::vector<std::string> asked = expand_nodes(request.nodes);
    const NameSet listed(hosts.begin(), hosts.end());
    for (const std::string& node : asked) {
      if (!hosts.empty() && !listed.contains(node)) {
        throw InputError(fmt::format("--nodes {}: '{}' does not stand in {}", request.nodes, node, request.hostfile));
      }
    }
    hosts = asked;
  }
  for (const std::string& host : hosts) nodes_.push_back({.name = host, .host = host});
  if (!nodes_.empty()) return;
  // Two processes on this machine, which is what can be measured without another.
  for (const char* rank : {"0", "1"}) {
    nodes_.push_back({.name = fmt::format("{}:{}", host_name(), rank), .host = "localhost"});
  }
}

std::vector<std::string> Engine::command(const std::vector<std::size_t>& chosen, const std::vector<std::string>& argv,
                                         const std::vector<std::string>& environment, bool ranks_meet) const {
  std::vector<std::string> command{program_};
  if (kind_ == Kind::slurm) {
    std::vector<std::string> names;
    for (const std::size_t node : chosen) names.push_back(nodes_[node].name);
    const std::string count = std::to_string(chosen.size());
    // One node's end must not be the others': a node that dies, an agent that exits, a long wait for the last.
    command.insert(command.end(), {"--nodes=" + count, "--ntasks=" + count, "--ntasks-per-node=1",
                                   "--nodelist=" + fold_nodes(names), ranks_meet ? "--mpi=pmix" : "--mpi=none",
                                   "--no-kill", "--kill-on-bad-exit=0", "--wait=0", "--input=none", "--export=ALL",
                                   "--overlap", "--job-name=rackproof"});
    command.insert(command.end(), argv.begin(), argv.end());
    return command;
  }
  if (::geteuid() == 0) command.push_back("--allow-run-as-root");
  // One rank's end must not be the others'.
  command.insert(command.end(), {"--enable-recovery", "--mca", "orte_abort_on_non_zero_status", "0", "--tag-output",
                                 "--oversubscribe", "--bind-to", "none"});
  for (const std::string& variable : environment) {
    command.insert(command.end(), {"-x", variable.substr(0, variable.find('='))});
  }
  // One process a node, in this order; a host that is named twice has two.
  std::vector<std::string> hosts;
  for (const std::size_t node : chosen) hosts.push_back(nodes_[node].host);
  command.insert(command.end(), {"--map-by", "node", "-np", std::to_string(hosts.size()), "--host",
                                 fmt::format("{}", fmt::join(hosts, ","))});
  command.insert(command.end(), argv.begin(), argv.end());
  return command;
}

// Slurm's PMIx plugin (22.05) finds the node of a rank by its place in the job's list of nodes, where it means the step's:
// in a step on some nodes of a job, ranks ask the wrong nodes for their cards and wait for ever. It reads the list here.
std::vector<std::string> Engine::variables(const std::vector<std::size_t>& chosen) const {
  if (kind_ != Kind::slurm) return {};
  std::vector<std::string> names;
  for (const std::size_t node : chosen) names.push_back(nodes_[node].name);
  const std::string list = fold_nodes(names);
  return {"SLURM_JOB_NODELIST=" + list, "SLURM_NODELIST=" + list, fmt::format("SLURM_JOB_NUM_NODES={}", names.size()),
          fmt::format("SLURM_NNODES={}", names.size())};
}

const char* Engine::name() const { return kind_ == Kind::slurm ? "srun" : "mpirun"; }

bool needs_allocation(const EngineRequest& request) { return request.kind == Kind::slurm && allocation() == nullptr; }

std::vector<std::string> in_allocation(const EngineRequest& request, const std::vector<std::string>& argv) {
  if (request.nodes.empty() && request.partition.empty()) {
    throw InputError("--on slurm: say which nodes, with --nodes or --partition, or start it inside an allocation");
  }
  const NameSet asked = names_in(request.nodes);
  std::vector<std::string> free;
  std::string held_back;
  for (const auto& [name, known] : nodes_of_slurm(request)) {
    if (!asked.empty() && !asked.contains(name)) continue;
    if (takes_jobs(known.state)) {
      free.push_back(name);
    } else {
      held_back += fmt::format("{}{} is {}", held_back.empty() ? "" : ", ", name, known.state);
    }
  }
  if (free.empty()) {
    throw InputError(fmt::format("Slurm has none of these nodes to give{}{}", held_back.empty() ? "" : ": ", held_back));
  }
  std::vector<std::string> command{find_program("salloc"),
                                   "--quiet",
                                   "--no-kill",
                                   "--exclusive",
                                   "--job-name=rackproof",
                                   fmt::format("--immediate={}", kAllocatedWithin),
                                   fmt::format("--nodes={}", free.size()),
                                   "--nodelist=" + fold_nodes(free)};
  if (!request.partition.empty()) command.push_back("--partition=" + request.partition);
  command.insert(command.end(), argv.begin(), argv.end());
  return command;
}

}  // namespace rackproof
