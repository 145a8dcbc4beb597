// `rackproof show`, `rackproof export` and `rackproof judge`: second passes over a journal, without hardware.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>

#include "graphs/decode.h"
#include "graphs/exports.h"
#include "graphs/journal.h"
#include "graphs/judge.h"
#include "graphs/span_judge.h"
#include "runner/commands.h"
#include "runner/console.h"
#include "runner/output_file.h"
#include "runner/recipe.h"
#include "runner/run_folder.h"

namespace rackproof {
namespace {

std::string given_or_latest(const std::string& given) {
  const std::string path = given.empty() ? latest_run(kRunsDirectory) : given;
  if (path.empty()) throw InputError(fmt::format("no run is given, and there is none below {}", kRunsDirectory));
  return path;
}

Run read_and_warn(const std::string& path) {
  JournalRead read = read_run(path);
  if (read.torn) std::cerr << fmt::format("rackproof: {}: its last line is cut off, and passed over\n", journal_path(path));
  return std::move(read.run);
}

void print(const Run& run, const Output& output) {
  Console console(std::cout, Terminal(STDOUT_FILENO, output.colour), {.quiet = output.quiet, .expected_us = {}});
  console.replay(run);
}

// The same run with other limits and the verdicts they lead to; all else, times too, stays as it was written.
void keep(const Run& judged, const std::string& source, const std::string& folder) {
  JournalWriter journal = JournalWriter::create(journal_path(folder));
  std::ifstream lines(journal_path(source));
  Decoder decoder;
  // A last line without its end was not read as part of the run either.
  for (std::string line; std::getline(lines, line) && !lines.eof();) {
    auto event = decoder.event(line);
    if (!event) continue;
    if (auto* planned = std::get_if<StepPlanned>(&event->body)) {
      planned->step = judged.steps[*judged.find_step(planned->step.id)];
    } else if (auto* verdict = std::get_if<TrialJudged>(&event->body)) {
      const TrialRecord& trial = *judged.find_trial(verdict->trial);
      if (trial.verdict) verdict->verdict = *trial.verdict;  // none: this attempt was cut off, and a later one open
    } else if (auto* ended = std::get_if<RunEnded>(&event->body)) {
      ended->outcome = judged.outcome();
    }
    journal.append(*event);
  }
  journal.sync();
}

}  // namespace

int show(const std::string& path, const Output& output) {
  const Run run = read_and_warn(given_or_latest(path));
  print(run, output);
  return exit_code(run.outcome(), output.exit_style);
}

int export_run(const std::string& path, const std::string& name, const std::string& file) {
  const ExportFormat& format = *find_export_format(name);
  const ResultGraph graph = fold(read_and_warn(given_or_latest(path)));
  if (file.empty() || file == "-") {
    format.write(graph, std::cout);
    return 0;
  }
  OutputFile output(file);
  format.write(graph, output.stream());
  output.commit();
  return 0;
}

int judge_again(const JudgeRequest& request) {
  const std::string source = given_or_latest(request.run);
  Run run = read_and_warn(source);
  if (!request.folder.empty()) make_run_folder(request.folder);
  lay_limits_over(run.steps, request.limits);
  for (TrialRecord& trial : run.trials) {
    if (trial.ending && trial.verdict && !run.step_of(trial).span) trial.verdict = judge(run, trial);
  }
  for (std::size_t step = 0; step < run.steps.size(); ++step) {
    if (!run.steps[step].span) continue;
    for (auto& [trial, verdict] : judge_span(run, step)) {
      if (run.trials[trial].verdict) run.trials[trial].verdict = std::move(verdict);
    }
  }
  print(run, request.output);
  if (!request.folder.empty()) keep(run, source, request.folder);
  return exit_code(run.outcome(), request.output.exit_style);
}

}  // namespace rackproof
