// `rackproof run --on slurm|mpi`.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>

#include "runner/child.h"
#include "runner/cluster_plan.h"
#include "runner/cluster_run.h"
#include "runner/commands.h"
#include "runner/console.h"
#include "runner/digest.h"
#include "runner/local_launcher.h"
#include "runner/lock.h"
#include "runner/node_set.h"
#include "runner/run_folder.h"
#include "runner/simulation.h"
#include "runner/version.h"

namespace rackproof {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBetween = "\n";

std::string own_program() { return fs::read_symlink("/proc/self/exe").string(); }

void add_list(Facts& facts, const char* name, const std::vector<std::string>& texts) {
  if (!texts.empty()) facts.emplace_back(name, fmt::format("{}", fmt::join(texts, kBetween)));
}

std::vector<std::string> list_in(const Facts& facts, std::string_view name) {
  std::vector<std::string> texts;
  for (const auto& [fact, value] : facts) {
    const auto* text = std::get_if<std::string>(&value);
    if (fact != name || text == nullptr) continue;
    for (std::string_view rest = *text; !rest.empty();) {
      const std::size_t end = std::min(rest.find(kBetween), rest.size());
      texts.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + kBetween.size(), rest.size()));
    }
  }
  return texts;
}

// What the run was asked for stands in its first event, so that it can be resumed.
Facts facts_of(const RunRequest& request, const Engine& engine) {
  std::vector<std::string> names;
  for (const ClusterNode& node : engine.nodes()) names.push_back(node.name);
  Facts facts{{"on", std::string(engine.name())},
              {"nodes", fold_nodes(names)},
              {"max_blamed_percent", request.max_blamed}};
  add_list(facts, "limits_files", request.limits);
  add_list(facts, "parameters_set", request.sets);
  const Facts simulated = to_facts({request.profile, request.faults});
  facts.insert(facts.end(), simulated.begin(), simulated.end());
  return facts;
}

// Paths hold on every node, whatever its working directory is there.
RunRequest absolute(RunRequest request, const Installation& installation) {
  request.recipe = fs::absolute(recipe_file(request.recipe, installation)).lexically_normal();
  for (std::string& file : request.limits) file = fs::absolute(file).lexically_normal();
  if (!request.sysroot.empty()) request.sysroot = fs::absolute(request.sysroot).lexically_normal();
  if (!request.checks.empty()) request.checks = fs::absolute(request.checks).lexically_normal();
  if (request.profile.find('/') != std::string::npos || request.profile.ends_with(".yaml")) {
    request.profile = fs::absolute(request.profile).lexically_normal();
  }
  return request;
}

RunRequest resumed(RunRequest request) {
  const RunStarted about = read_run(request.resume).run.about;
  request.recipe = about.file;
  request.limits = list_in(about.facts, "limits_files");
  request.sets = list_in(about.facts, "parameters_set");
  const SimulationRequest simulated = from_facts(about.facts);
  request.profile = simulated.profile;
  request.faults = simulated.faults;
  return request;
}

// The nodes of the run, in its order. What the engine has no more is unusable.
std::vector<ClusterNode> nodes_in(const Run& run, const Engine& engine) {
  std::vector<ClusterNode> nodes;
  for (const std::string& name : nodes_of(run)) {
    if (name == kFabric) continue;
    const auto found = std::ranges::find(engine.nodes(), name, &ClusterNode::name);
    if (found != engine.nodes().end()) {
      nodes.push_back(*found);
    } else {
      nodes.push_back({.name = name, .host = name, .leaf = {}, .unusable = fmt::format("{} has it no more", engine.name())});
    }
  }
  return nodes;
}

std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace

int run_on_many(const RunRequest& given) {
  if (!given.node.empty()) throw InputError("--node names this machine, and --on is for many: use --nodes");
  if (needs_allocation(given.on)) {
    std::vector<std::string> again = given.argv;
    again.front() = own_program();
    become(in_allocation(given.on, again));
  }
  const Lock lock(given.lock);
  if (!lock.held()) return lock.refuse();
  const bool is_resumed = !given.resume.empty();
  const RunRequest asked = is_resumed ? resumed(given) : given;
  const Installation installation = find_installation(asked.checks, !asked.profile.empty());
  const RunRequest request = absolute(asked, installation);
  Catalog catalog(installation);
  Recipe recipe = read_recipe({request.recipe, request.limits, request.sets}, catalog);
  const std::string digest = digest_of(recipe);
  const Engine engine(request.on);
  recipe.steps = needs_first(std::move(recipe.steps));
  recipe = with_answer(std::move(recipe), engine.nodes());

  const auto prepare_new = [&] {
    NewRun about{.id = new_run_id(recipe.name), .node = host_name(), .folder = request.folder,
                 .facts = facts_of(request, engine)};
    if (about.folder.empty()) about.folder = fmt::format("{}/{}", kRunsDirectory, about.id);
    std::vector<std::string> names;
    for (const ClusterNode& node : engine.nodes()) names.push_back(node.name);
    return prepare_cluster(recipe, names, about);
  };
  PreparedRun prepared = is_resumed ? take_up(request.resume) : prepare_new();
  Run& run = prepared.run;

  Console console(std::cout, Terminal(STDOUT_FILENO, request.output.colour),
                  {.quiet = request.output.quiet, .expected_us = {}});
  for (const Event& event : prepared.first) console.on(&event, run);

  LocalLauncher launcher({installation.check_program, "--guard"});
  const std::vector<ClusterNode> nodes = nodes_in(run, engine);
  const AgentRequest common{.run = run.about.run,
                            .nodes = {},
                            .recipe = request.recipe,
                            .limits = request.limits,
                            .sets = request.sets,
                            .sysroot = request.sysroot,
                            .profile = request.profile,
                            .faults = request.faults,
                            .checks = request.checks,
                            .version = kVersion,
                            .digest = digest,
                            .step = "",
                            .pass = 0,
                            .rounds = {}};
  const auto start = [&](const std::vector<std::size_t>& chosen, const AgentRequest& agents) {
    std::vector<std::size_t> of_engine;
    for (const std::size_t node : chosen) {
      const auto found = std::ranges::find(engine.nodes(), nodes[node].name, &ClusterNode::name);
      of_engine.push_back(static_cast<std::size_t>(found - engine.nodes().begin()));
    }
    Launch launch{.trial = engine.name(), .argv = {}, .environment = to_environment(agents)};
    launch.argv = engine.command(of_engine, {own_program(), "agent"}, launch.environment,
                                 agents.work == AgentRequest::Work::span);
    const std::vector<std::string> variables = engine.variables(of_engine);
    launch.environment.insert(launch.environment.end(), variables.begin(), variables.end());
    return launch;
  };
  ClusterRun cluster(run, nodes, launcher, *prepared.journal, common,
                     {.answers_within = milliseconds_of(request.answers_within),
                      .silent_for = milliseconds_of(request.silent_for)},
                     start, [&](const Event* event, const Run& now) { console.on(event, now); });
  try {
    cluster.execute();
  } catch (const JournalFull& full) {
    std::cerr << fmt::format("rackproof: the journal cannot be written: {}\n", full.what());
    return kExitUndecided;
  }
  if (!request.output.quiet) std::cout << "journal: " << journal_path(prepared.folder) << '\n';
  if (cluster.interrupting_signal() != 0) return 128 + cluster.interrupting_signal();
  if (!cluster.interrupted().empty()) {
    std::cerr << fmt::format("rackproof: {}\n", cluster.interrupted());
    return kExitUndecided;
  }
  return exit_code(run.outcome(), request.output.exit_style);
}

}  // namespace rackproof
