// The command line, and nothing else.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "graphs/exports.h"
#include "graphs/journal.h"
#include "runner/commands.h"
#include "runner/input_error.h"
#include "runner/version.h"

namespace {

using namespace rackproof;

// An option that takes one of a few words.
template <class T>
void add_choice(CLI::App& command, const std::string& name, T& value, std::vector<std::pair<std::string, T>> words,
                const std::string& help) {
  std::vector<std::string> known;
  for (const auto& [word, meaning] : words) known.push_back(word);
  command
      .add_option_function<std::string>(
          name,
          [&value, words](const std::string& given) {
            for (const auto& [word, meaning] : words) {
              if (word == given) value = meaning;
            }
          },
          help)
      ->check(CLI::IsMember(known).description(""))
      ->type_name(fmt::format("{}", fmt::join(known, "|")));
}

void add_output(CLI::App& command, Output& output) {
  add_choice(command, "--color", output.colour,
             {{"auto", ColourChoice::automatic}, {"always", ColourChoice::always}, {"never", ColourChoice::never}},
             "When to use colours (default: auto)");
  command.add_flag("-q,--quiet", output.quiet, "Print only what did not pass: nothing when all is well");
  add_choice(command, "--exit-style", output.exit_style, {{"plain", ExitStyle::plain}, {"nagios", ExitStyle::nagios}},
             "Exit codes: plain, or those of Nagios plugins");
}

void add_recipe(CLI::App& command, RunRequest& request) {
  // One value each, so that the recipe may stand behind them.
  command.add_option("--limits", request.limits, "Lay a platform's limits over the recipe; may be repeated")
      ->allow_extra_args(false)
      ->type_name("FILE");
  command.add_option("--set", request.sets, "Set a parameter of a step; may be repeated")
      ->allow_extra_args(false)
      ->type_name("STEP.PARAM=VALUE");
  command.add_option("--checks", request.checks, "Folder of check libraries (default: the installed ones)")
      ->type_name("DIR");
}

std::string format_names() {
  std::string names;
  for (const ExportFormat& format : export_formats()) {
    names += fmt::format("{}{}", names.empty() ? "" : "|", format.name);
  }
  return names;
}

int dispatch(int argc, char** argv) {
  CLI::App app{"A proof test for racks: climbs a machine layer by layer, measures each, and leaves one graph of it."};
  app.set_version_flag("--version", fmt::format("rackproof {}", kVersion));
  app.require_subcommand(1);
  app.footer(
      "Exit codes of `run`: 0 up to warn, 1 fail, 2 wrong command line, recipe or limits, 3 undecided,\n"
      "75 another run holds the lock, 77 nothing applicable, 130 and 143 interrupted.\n"
      "A first climb: rackproof run recipes/node.yaml");
  int exit = 0;

  RunRequest run_request;
  auto* run_command = app.add_subcommand("run", "Climb a recipe on this machine");
  auto* recipe = run_command->add_option("recipe", run_request.recipe, "A recipe file, or the name of an installed recipe");
  add_recipe(*run_command, run_request);
  run_command->add_option("-o,--output", run_request.folder, "New folder for the run (default: below rackproof-runs)")
      ->type_name("DIR");
  auto* resume = run_command
                     ->add_option("--resume", run_request.resume,
                                  "Finish a run that was cut off; what had ended is kept as it was")
                     ->type_name("RUN");
  resume->excludes(recipe)->excludes("--limits")->excludes("--set")->excludes("--output");
  run_command->add_option("--lock", run_request.lock, "Exit with 75 when another run holds this file")->type_name("FILE");
  run_command->add_option("--sysroot", run_request.sysroot, "Read /sys, /proc and /etc below this folder; said in the run")
      ->type_name("DIR");
  auto* simulate = run_command
                       ->add_option("--simulate", run_request.profile,
                                    "Run on a simulated node, by the name of its profile or a file; said in the run")
                       ->type_name("PROFILE");
  simulate->excludes("--sysroot")->excludes(resume);
  run_command
      ->add_option("--fault", run_request.faults,
                   "What is broken on the simulated node, such as 'gpu:3 link width 8'; may be repeated")
      ->allow_extra_args(false)
      ->type_name("SENTENCE")
      ->needs(simulate);
  add_choice(*run_command, "--on", run_request.on.kind,
             {{"slurm", EngineRequest::Kind::slurm}, {"mpi", EngineRequest::Kind::mpi}},
             "Run on many nodes: each climbs by itself, then what spans nodes is measured between them");
  run_command->add_option("--nodes", run_request.on.nodes, "With --on: which nodes, as Slurm writes them: 'node[01-16],gpu7'")
      ->type_name("SET");
  run_command->add_option("--partition", run_request.on.partition, "With --on slurm: all nodes of this partition")
      ->type_name("NAME");
  run_command->add_option("--hostfile", run_request.on.hostfile, "With --on mpi: the hosts of this file")
      ->type_name("FILE");
  run_command
      ->add_option("--max-blamed", run_request.max_blamed,
                   "With --on: if more percent of the nodes look bad, it is what they share (default: 25)")
      ->check(CLI::Range(0.0, 100.0).description(""))
      ->type_name("PERCENT");
  run_command
      ->add_option("--answer-within", run_request.answers_within,
                   "With --on: seconds in which a node must answer (default: 60)")
      ->check(CLI::Range(1.0, 3600.0).description(""))
      ->type_name("S");
  run_command
      ->add_option("--silent-for", run_request.silent_for,
                   "With --on: seconds without a word after which a node is lost (default: 30)")
      ->check(CLI::Range(5.0, 3600.0).description(""))
      ->type_name("S");
  run_command->add_option("--node", run_request.node, "Name of this node (default: its host name)")->type_name("NAME");
  add_output(*run_command, run_request.output);
  run_request.argv.assign(argv, argv + argc);
  run_command->callback([&] {
    if (run_request.recipe.empty() && run_request.resume.empty()) throw InputError("run needs a recipe, or --resume");
    exit = run(run_request);
  });

  RunRequest plan_request;
  auto* plan_command = app.add_subcommand("plan", "Show what a recipe would run and expect, without running it");
  plan_command->add_option("recipe", plan_request.recipe, "A recipe file, or the name of an installed recipe")->required();
  add_recipe(*plan_command, plan_request);
  plan_command->callback([&] { exit = plan(plan_request); });

  std::string checks;
  auto* list_command = app.add_subcommand("list", "List the checks");
  list_command->add_option("--checks", checks, "Folder of check libraries (default: the installed ones)")->type_name("DIR");
  list_command->callback([&] { exit = list(checks); });

  std::string check;
  auto* explain_command =
      app.add_subcommand("explain", "Say what a check measures and how, and how to measure the same by hand");
  explain_command->add_option("check", check, "Name of a check")->required();
  explain_command->add_option("--checks", checks, "Folder of check libraries")->type_name("DIR");
  explain_command->callback([&] { exit = explain(check, checks); });

  std::string path;
  Output show_output;
  auto* show_command = app.add_subcommand("show", "Show a run that was made, finished or not");
  show_command->add_option("run", path, "Its folder or journal (default: the latest below rackproof-runs)");
  add_output(*show_command, show_output);
  show_command->callback([&] { exit = show(path, show_output); });

  std::string format;
  std::string file;
  auto* export_command = app.add_subcommand("export", "Write a run's graph in another format");
  export_command->add_option("run", path, "Its folder or journal (default: the latest below rackproof-runs)");
  std::vector<std::string> names;
  for (const ExportFormat& each : export_formats()) names.emplace_back(each.name);
  export_command->add_option("-f,--format", format, "Format")->required()->check(CLI::IsMember(names).description(""))->type_name(format_names());
  export_command->add_option("-o,--output", file, "File (default: stdout)")->type_name("FILE");
  export_command->callback([&] { exit = export_run(path, format, file); });

  JudgeRequest judge_request;
  auto* judge_command = app.add_subcommand("judge", "Judge a run again by other limits, without running anything");
  judge_command->add_option("run", judge_request.run, "Its folder or journal (default: the latest below rackproof-runs)");
  judge_command->add_option("--limits", judge_request.limits, "Limits to judge by, in place of those it was run with")
      ->allow_extra_args(false)
      ->type_name("FILE");
  judge_command->add_option("-o,--output", judge_request.folder, "New folder to keep the run in as it is judged now")
      ->type_name("DIR");
  add_output(*judge_command, judge_request.output);
  judge_command->callback([&] { exit = judge_again(judge_request); });

  std::string of = "recipe";
  auto* schema_command = app.add_subcommand("schema", "Print the JSON Schema of recipes or of limits files");
  schema_command->add_option("of", of, "recipe or limits")->check(CLI::IsMember({"recipe", "limits"}).description(""))->type_name("recipe|limits");
  schema_command->callback([&] { exit = schema(of); });

  auto* agent_command = app.add_subcommand("agent", "A node's part of a run on many nodes, which starts it")->group("");
  agent_command->callback([&] { exit = agent(); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::cerr << fmt::format("rackproof: {}\n", error.what());
    return kExitUsage;
  }
  // What a run found stands in its journal; what the others print is all that they do.
  if (!run_command->parsed() && !std::cout.flush()) throw InputError("not all of it could be written to stdout");
  return exit;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const InputError& error) {
    std::cerr << fmt::format("rackproof: {}\n", error.what());
    return kExitUsage;
  } catch (const JournalHeld& error) {
    std::cerr << fmt::format("rackproof: {}\n", error.what());
    return kExitLocked;
  } catch (const JournalFull& error) {
    std::cerr << fmt::format("rackproof: the journal cannot be written: {}\n", error.what());
    return kExitUndecided;
  } catch (const std::exception& error) {
    std::cerr << fmt::format("rackproof: a defect, please report it: {}\n", error.what());
    return kExitDefect;
  }
}
