// `rackproof run` and `rackproof plan`.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <stdexcept>

#include "graphs/journal.h"
#include "graphs/sentences.h"
#include "runner/clock.h"
#include "runner/commands.h"
#include "runner/console.h"
#include "runner/executor.h"
#include "runner/installation.h"
#include "runner/local_launcher.h"
#include "runner/lock.h"
#include "runner/recipe.h"
#include "runner/run_folder.h"
#include "runner/simulation.h"
#include "runner/version.h"

namespace rackproof {
namespace {

namespace fs = std::filesystem;

std::string recipe_file(const std::string& given, const Installation& installation) {
  if (given.find('/') != given.npos || given.ends_with(".yaml") || fs::exists(given)) return given;
  const fs::path installed = fs::path(installation.recipe_directory) / (given + ".yaml");
  return fs::exists(installed) ? installed.string() : given;
}

// Everything that is known before the first trial, as the first events of the journal.
std::vector<Event> opening(const Recipe& recipe, const Plan& plan, const std::string& run_id, const std::string& node,
                           const Facts& simulated) {
  utsname machine{};
  ::uname(&machine);
  const std::int64_t at = now_us();
  Facts facts{{"kernel", std::string(machine.release)}, {"architecture", std::string(machine.machine)}};
  facts.insert(facts.end(), simulated.begin(), simulated.end());
  std::vector<Event> events;
  events.push_back({at, node,
                    RunStarted{.run = run_id,
                               .recipe = recipe.name,
                               .summary = recipe.summary,
                               .file = recipe.file,
                               .version = kVersion,
                               .layers = recipe.layers,
                               .facts = std::move(facts)}});
  for (const Step& step : recipe.steps) events.push_back({at, node, StepPlanned{step}});
  for (const PlannedTrial& trial : plan.trials()) {
    TrialPlanned planned{trial.id, recipe.steps[trial.step].id, {}};
    for (const std::size_t need : trial.needs) planned.needs.push_back(plan.trials()[need].id);
    events.push_back({at, trial.node, std::move(planned)});
  }
  return events;
}

std::string node_name(const RunRequest& request, const std::optional<Simulation>& simulation) {
  if (!request.node.empty()) return request.node;
  if (simulation) return simulation->node();
  utsname machine{};
  ::uname(&machine);
  return machine.nodename;
}

std::vector<std::string> nodes_of(const Run& run) {
  std::vector<std::string> nodes;
  for (const TrialRecord& trial : run.trials) {
    if (std::ranges::count(nodes, trial.node) == 0) nodes.push_back(trial.node);
  }
  return nodes;
}

CommandOf command_maker(const Installation& installation) {
  return [installation, parent = std::to_string(::getpid())](const Step& step, const std::string& check,
                                                             bool is_watch) {
    std::vector<std::string> argv{installation.check_program, "--parent", parent};
    if (step.memory != 0) argv.insert(argv.end(), {"--memory-limit", std::to_string(step.memory)});
    argv.push_back(installation.library_of(check));
    if (is_watch) return argv;
    for (const auto& [name, value] : step.with) argv.push_back(name + "=" + value);
    return argv;
  };
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

struct Prepared {
  Run run;
  std::string folder;
  std::optional<JournalWriter> journal;
  std::vector<Event> first;  // what the listener hears first
};

Prepared prepare_new(const RunRequest& request, const Installation& installation,
                     const std::optional<Simulation>& simulation) {
  Catalog catalog(installation, simulation ? simulation->environment() : std::vector<std::string>{});
  Recipe recipe = read_recipe({recipe_file(request.recipe, installation), request.limits, request.sets}, catalog);
  recipe.steps = needs_first(std::move(recipe.steps));
  const std::string id = new_run_id(recipe.name);
  const std::string node = node_name(request, simulation);
  Prepared prepared;
  prepared.folder = request.folder.empty() ? fmt::format("{}/{}", kRunsDirectory, id) : request.folder;
  make_run_folder(prepared.folder);
  prepared.journal.emplace(JournalWriter::create(journal_path(prepared.folder)));
  for (const Event& event : opening(recipe, Plan(recipe.steps, {node}), id, node, to_facts(simulated(request)))) {
    prepared.journal->append(event);
    if (const std::string objection = prepared.run.apply(event); !objection.empty()) throw std::logic_error(objection);
    if (std::holds_alternative<RunStarted>(event.body)) prepared.first.push_back(event);
  }
  prepared.journal->sync();
  return prepared;
}

Prepared prepare_resumed(const RunRequest& request) {
  const auto read = [&] {
    Run run = read_run(request.resume).run;
    const std::size_t planned = Plan(run.steps, nodes_of(run)).trials().size();
    if (run.trials.empty() || run.trials.size() != planned) {
      throw InputError(fmt::format("{}: was cut off before its plan was written: start it again", request.resume));
    }
    return run;
  };
  read();  // before anything is written to what may be no journal
  Prepared prepared;
  prepared.folder = request.resume;
  prepared.journal.emplace(JournalWriter::resume(journal_path(request.resume)));
  prepared.run = read();  // nobody else can write to it any more
  const Event resumed{now_us(), prepared.run.node, RunResumed{}};
  prepared.journal->append(resumed);
  prepared.run.apply(resumed);
  prepared.first.push_back(resumed);
  return prepared;
}

}  // namespace

int run(const RunRequest& request) {
  std::optional<Lock> lock;
  if (!request.lock.empty()) {
    lock.emplace(request.lock);
    if (!lock->held()) {
      std::cerr << fmt::format("rackproof: {} is held by another run\n", request.lock);
      return kExitLocked;
    }
  }
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
  Prepared prepared =
      request.resume.empty() ? prepare_new(request, installation, simulation) : prepare_resumed(request);
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
