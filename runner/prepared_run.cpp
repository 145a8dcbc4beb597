#include "runner/prepared_run.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <unordered_set>

#include "runner/clock.h"
#include "runner/run_folder.h"
#include "runner/version.h"

namespace rackproof {
namespace {

namespace fs = std::filesystem;

// Everything that is known before the first trial, as the first events of the journal.
std::vector<Event> opening(const Recipe& recipe, const Plan& plan, const NewRun& about) {
  utsname machine{};
  ::uname(&machine);
  const std::int64_t at = now_us();
  Facts facts{{"kernel", std::string(machine.release)}, {"architecture", std::string(machine.machine)}};
  facts.insert(facts.end(), about.facts.begin(), about.facts.end());
  std::vector<Event> events;
  events.push_back({at, about.node,
                    RunStarted{.run = about.id,
                               .recipe = recipe.name,
                               .summary = recipe.summary,
                               .file = recipe.file,
                               .version = kVersion,
                               .layers = recipe.layers,
                               .facts = std::move(facts)}});
  for (const Step& step : recipe.steps) events.push_back({at, about.node, StepPlanned{step}});
  for (const PlannedTrial& trial : plan.trials()) {
    TrialPlanned planned{trial.id, recipe.steps[trial.step].id, {}};
    for (const std::size_t need : trial.needs) planned.needs.push_back(plan.trials()[need].id);
    events.push_back({at, trial.node, std::move(planned)});
  }
  return events;
}

// Each step once on each node, and what spans nodes once more on the fabric.
std::size_t planned_trials(const Run& run) {
  std::vector<std::string> nodes = nodes_of(run);
  std::erase(nodes, kFabric);
  const auto spanning = std::ranges::count_if(run.steps, [](const Step& step) { return step.span.has_value(); });
  return run.steps.size() * nodes.size() + static_cast<std::size_t>(spanning);
}

}  // namespace

std::string recipe_file(const std::string& given, const Installation& installation) {
  if (given.find('/') != given.npos || given.ends_with(".yaml") || fs::exists(given)) return given;
  const fs::path installed = fs::path(installation.recipe_directory) / (given + ".yaml");
  return fs::exists(installed) ? installed.string() : given;
}

std::string host_name() {
  utsname machine{};
  ::uname(&machine);
  return machine.nodename;
}

std::vector<std::string> nodes_of(const Run& run) {
  std::vector<std::string> nodes;
  std::unordered_set<std::string> seen;
  for (const TrialRecord& trial : run.trials) {
    if (seen.insert(trial.node).second) nodes.push_back(trial.node);
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

PreparedRun prepare(const Recipe& recipe, const std::vector<std::string>& nodes, const NewRun& about) {
  PreparedRun prepared;
  prepared.folder = about.folder;
  make_run_folder(prepared.folder);
  prepared.journal.emplace(JournalWriter::create(journal_path(prepared.folder)));
  for (const Event& event : opening(recipe, Plan(recipe.steps, nodes), about)) {
    prepared.journal->append(event);
    if (const std::string objection = prepared.run.apply(event); !objection.empty()) throw std::logic_error(objection);
    if (std::holds_alternative<RunStarted>(event.body)) prepared.first.push_back(event);
  }
  prepared.journal->sync();
  return prepared;
}

PreparedRun take_up(const std::string& folder) {
  const auto read = [&] {
    Run run = read_run(folder).run;
    if (run.trials.empty() || run.trials.size() != planned_trials(run)) {
      throw InputError(fmt::format("{}: was cut off before its plan was written: start it again", folder));
    }
    return run;
  };
  read();  // before anything is written to what may be no journal
  PreparedRun prepared;
  prepared.folder = folder;
  prepared.journal.emplace(JournalWriter::resume(journal_path(folder)));
  prepared.run = read();  // nobody else can write to it any more
  const Event resumed{now_us(), prepared.run.node, RunResumed{}};
  prepared.journal->append(resumed);
  prepared.run.apply(resumed);
  prepared.first.push_back(resumed);
  return prepared;
}

}  // namespace rackproof
