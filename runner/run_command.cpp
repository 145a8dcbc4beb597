// `rackproof run` and `rackproof plan`.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>

#include "graphs/sentences.h"
#include "runner/commands.h"
#include "runner/console.h"
#include "runner/executor.h"
#include "runner/installation.h"
#include "runner/local_launcher.h"
#include "runner/lock.h"
#include "runner/prepared_run.h"
#include "runner/recipe.h"
#include "runner/run_folder.h"
#include "runner/simulation.h"

namespace rackproof {
namespace {

namespace fs = std::filesystem;

std::string node_name(const RunRequest& request, const std::optional<Simulation>& simulation) {
  if (!request.node.empty()) return request.node;
  return simulation ? simulation->node() : host_name();
}

// The node that the request asks for, or that the run to be resumed was on.
SimulationRequest simulated(const RunRequest& request) {
  if (!request.resume.empty()) return from_facts(read_run(request.resume).run.about.facts);
  SimulationRequest simulated{.profile = request.profile, .faults = request.faults};
  // A file is remembered so that it is found from elsewhere.
  if (simulated.profile.find('/') != std::string::npos || simulated.profile.ends_with(".yaml")) {
    simulated.profile = fs::absolute(simulated.profile).string();
  }
  return simulated;
}

// One machine cannot do what takes several.
void refuse_span(const Recipe& recipe) {
  const auto spanning = std::ranges::find_if(recipe.steps, [](const Step& step) { return step.span.has_value(); });
  if (spanning == recipe.steps.end()) return;
  throw InputError(fmt::format("{}: step '{}' is run on {} of nodes: say which nodes, with --on slurm or --on mpi",
                               recipe.file, spanning->id, to_text(*spanning->span)));
}

PreparedRun prepare_new(const RunRequest& request, const Installation& installation,
                        const std::optional<Simulation>& simulation) {
  Catalog catalog(installation, simulation ? simulation->environment() : std::vector<std::string>{});
  Recipe recipe = read_recipe({recipe_file(request.recipe, installation), request.limits, request.sets}, catalog);
  recipe.steps = needs_first(std::move(recipe.steps));
  refuse_span(recipe);
  NewRun about{.id = new_run_id(recipe.name), .node = node_name(request, simulation), .folder = request.folder,
               .facts = to_facts(simulated(request))};
  if (about.folder.empty()) about.folder = fmt::format("{}/{}", kRunsDirectory, about.id);
  return prepare(recipe, {about.node}, about);
}

}  // namespace

int run(const RunRequest& request) {
  if (request.on.kind != EngineRequest::Kind::none) return run_on_many(request);
  const Lock lock(request.lock);
  if (!lock.held()) return lock.refuse();
  if (!request.sysroot.empty() && !fs::is_directory(request.sysroot)) {
    throw InputError(fmt::format("--sysroot {}: is not a folder", request.sysroot));
  }
  const SimulationRequest simulated_node = simulated(request);
  const bool is_simulated = !simulated_node.profile.empty();
  if (is_simulated && !request.sysroot.empty()) {
    throw InputError(fmt::format("--sysroot {}: this run is of a simulated node, which has its own", request.sysroot));
  }
  const Installation installation = find_installation(request.checks, is_simulated);
  std::optional<Simulation> simulation;
  if (is_simulated) simulation.emplace(installation, simulated_node);
  PreparedRun prepared =
      request.resume.empty() ? prepare_new(request, installation, simulation) : take_up(request.resume);
  Run& run = prepared.run;

  const Terminal terminal(STDOUT_FILENO, request.output.colour);
  ConsoleChoices choices{.quiet = request.output.quiet, .expected_us = {}};
  if (!request.output.quiet && terminal.is_live()) {
    const fs::path above = fs::path(prepared.folder).parent_path();
    const std::string except = request.resume.empty() ? prepared.folder : "";
    choices.expected_us = durations_of(latest_run(above.empty() ? "." : above.string(), run.about.recipe, except));
  }
  Console console(std::cout, terminal, std::move(choices));
  for (const Event& event : prepared.first) console.on(&event, run);

  std::vector<std::string> environment{"LC_ALL=C"};
  if (!request.sysroot.empty()) environment.push_back("RACKPROOF_SYSROOT=" + fs::absolute(request.sysroot).string());
  if (simulation) {
    const std::vector<std::string>& more = simulation->environment();
    environment.insert(environment.end(), more.begin(), more.end());
  }
  LocalLauncher launcher({installation.check_program, "--guard"}, environment);
  if (simulation) launcher.clear_at_the_end(simulation->folder());
  Executor executor(run, Plan(run.steps, nodes_of(run)), launcher, *prepared.journal,
                    command_maker(installation),
                    [&](const Event* event, const Run& now) { console.on(event, now); });
  try {
    executor.execute();
  } catch (const JournalFull& full) {
    std::cerr << fmt::format("rackproof: the journal cannot be written: {}\n", full.what());
    return kExitUndecided;
  }
  if (!request.output.quiet) std::cout << "journal: " << journal_path(prepared.folder) << '\n';
  if (executor.interrupting_signal() != 0) return 128 + executor.interrupting_signal();
  if (!executor.interrupted().empty()) {
    std::cerr << fmt::format("rackproof: {}\n", executor.interrupted());
    return kExitUndecided;
  }
  return exit_code(run.outcome(), request.output.exit_style);
}

int plan(const RunRequest& request) {
  const Installation installation = find_installation(request.checks);
  Catalog catalog(installation);
  const Recipe recipe =
      read_recipe({recipe_file(request.recipe, installation), request.limits, request.sets}, catalog);
  std::cout << recipe.name << (recipe.summary.empty() ? "" : ": ") << harmless(recipe.summary) << '\n';
  std::string layer;
  for (const Step& step : recipe.steps) {
    if (step.layer != layer) std::cout << '\n' << step.layer << '\n';
    layer = step.layer;
    std::cout << fmt::format("  {:<16} {}{}\n", step.id, step.check, step.optional ? "  (optional)" : "");
    const auto line = [](std::string_view name, const std::string& text) {
      if (!text.empty()) std::cout << fmt::format("      {:<7} {}\n", name, harmless(text));
    };
    std::vector<std::string> with;
    for (const auto& [name, value] : step.with) with.push_back(fmt::format("{}={}", name, value));
    line("with", fmt::format("{}", fmt::join(with, " ")));
    line("needs", fmt::format("{}", fmt::join(step.needs, ", ")));
    line("watch", fmt::format("{}", fmt::join(step.watch, ", ")));
    for (const Expectation& expectation : step.expectations) {
      line(expectation.prefer ? "prefer" : "expect",
           fmt::format("{}  ({})", expectation.limit.text,
                       expectation.source.empty() ? expectation.where
                                                  : fmt::format("{}: {}", expectation.where, expectation.source)));
    }
    if (step.expectations.empty()) line("expect", "nothing: its outcome can only be info");
    line("within", to_text(step.timeout));
  }
  return 0;
}

}  // namespace rackproof
