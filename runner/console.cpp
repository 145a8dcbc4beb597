#include "runner/console.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <tuple>

#include "graphs/sentences.h"
#include "runner/clock.h"
#include "runner/node_set.h"
#include "runner/node_table.h"
#include "runner/summary.h"

namespace rackproof {
namespace {

constexpr std::size_t kShownNumbers = 4;
constexpr std::size_t kIndent = 11;
// Nodes that stand alike share a row.
constexpr std::size_t kShownRows = 60;
constexpr std::size_t kLiveRows = 20;
constexpr std::int64_t kRedrawnUs = 200'000;
constexpr std::int64_t kDrawnShare = 20;

// Says whose evidence it is; empty where all of it is this machine's.
std::string simulated_line(const Run& run) {
  const auto first =
      std::ranges::find_if(run.trials, [](const TrialRecord& trial) { return !trial.simulated().empty(); });
  if (first == run.trials.end()) return "";
  return fmt::format("SIMULATED: evidence in this run does not come from this machine's hardware, but from {}",
                     harmless(first->simulated()));
}

std::string utc(std::int64_t us) {
  const std::time_t seconds = us / 1'000'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ", &parts);
  return text;
}

std::string trial_name(const Run& run, const TrialRecord& trial) {
  const std::string& step = run.step_of(trial).id;
  return trial.node == run.node ? step : fmt::format("{} on {}", step, trial.node);
}

}  // namespace

Console::Console(std::ostream& out, Terminal terminal, ConsoleChoices choices)
    : out_(out), terminal_(terminal), choices_(std::move(choices)) {}

void Console::on(const Event* event, const Run& run) {
  if (event == nullptr) return live_line(run);
  if (const auto* judged = std::get_if<TrialJudged>(&event->body)) {
    last_note_.clear();
    trial_ended(run, static_cast<std::size_t>(run.find_trial(judged->trial) - run.trials.data()));
  } else if (const auto* reported = std::get_if<Reported>(&event->body)) {
    if (const auto* note = std::get_if<Note>(&reported->report)) last_note_ = harmless(note->text);
  } else if (std::holds_alternative<TrialStarted>(event->body)) {
    live_line(run);
  } else if (std::holds_alternative<RunEnded>(event->body)) {
    print_held_back(run, run.trials.size());
    node_lines(run);
    sentences(run);
    last_line(run);
  } else if (std::holds_alternative<RunStarted>(event->body) || std::holds_alternative<RunResumed>(event->body)) {
    begin(run);
  }
}

void Console::replay(const Run& run) {
  begin(run);
  for (std::size_t i = 0; i < run.trials.size(); ++i) {
    if (run.trials[i].verdict || run.trials[i].started) trial_ended(run, i);
  }
  print_held_back(run, run.trials.size());
  node_lines(run);
  sentences(run);
  last_line(run);
}

void Console::begin(const Run& run) {
  if (choices_.quiet) return;
  const RunStarted& about = run.about;
  out_ << terminal_.bold(harmless(about.recipe));
  if (!about.summary.empty()) out_ << ": " << harmless(about.summary);
  out_ << terminal_.dim(fmt::format("  {}  {}{}", harmless(run.node), utc(run.started_us),
                                    run.resumed > 0 ? "  resumed" : ""))
       << '\n';
  out_.flush();
}

// What is blocked is known long before its turn; a reader wants to see it where it stands in the climb.
void Console::trial_ended(const Run& run, std::size_t trial) {
  if (is_on_many_nodes(run)) return;
  const auto& verdict = run.trials[trial].verdict;
  if (verdict && verdict->outcome == Outcome::blocked) {
    held_back_.insert(trial);
    return;
  }
  print_held_back(run, trial);
  print_trial(run, run.trials[trial]);
}

void Console::print_held_back(const Run& run, std::size_t before) {
  while (!held_back_.empty() && *held_back_.begin() < before) {
    print_trial(run, run.trials[*held_back_.begin()]);
    held_back_.erase(held_back_.begin());
  }
}

void Console::print_trial(const Run& run, const TrialRecord& trial) {
  erase_live_line();
  if (choices_.quiet) return;
  const Step& step = run.step_of(trial);
  if (step.layer != layer_) out_ << '\n' << terminal_.bold(harmless(step.layer)) << '\n';
  layer_ = step.layer;

  const std::string name = trial_name(run, trial);
  const std::string time = trial.ending ? duration_text(trial.ending->duration_us) : "";
  std::string text;
  if (!trial.verdict) {
    text = "was open when the journal ended";
  } else if (trial.verdict->outcome == Outcome::skip || trial.verdict->outcome == Outcome::blocked) {
    text = trial.verdict->reason;
  } else {
    std::vector<std::string> numbers = key_numbers(run, trial);
    const std::size_t more = numbers.size() - std::min(numbers.size(), kShownNumbers);
    numbers.resize(numbers.size() - more);
    text = fmt::format("{}", fmt::join(numbers, ", "));
    if (more > 0) text += fmt::format(", {} more", more);
    if (trial.verdict->outcome >= Outcome::error && text.empty()) text = trial.verdict->reason;
  }
  if (!trial.simulated().empty()) text = "SIMULATED  " + text;

  const std::string word = fmt::format("  {:<7}", trial.verdict ? to_text(trial.verdict->outcome) : "open");
  const std::string middle = fmt::format("  {:<16} {:>8}   ", harmless(name), time);
  text = harmless(text);
  if (terminal_.is_live()) text = cut_to(text, std::max<std::size_t>(terminal_.width(), 60) - columns_of(word + middle));
  const Outcome outcome = trial.verdict ? trial.verdict->outcome : Outcome::error;
  out_ << terminal_.coloured(outcome, word) << middle << text << '\n';
  out_.flush();
}

void Console::sentences(const Run& run) {
  std::set<std::size_t> said;
  std::map<std::tuple<std::size_t, Outcome, std::string>, std::vector<std::size_t>> alike;
  const auto is_worth_it = [&](const TrialRecord& trial) {
    if (trial.open()) return true;
    // What is blocked is said with what blocks it.
    return trial.verdict && trial.verdict->outcome >= Outcome::warn && trial.verdict->outcome != Outcome::blocked;
  };
  for (std::size_t i = 0; i < run.trials.size(); ++i) {
    const TrialRecord& trial = run.trials[i];
    if (is_worth_it(trial) && trial.verdict) alike[{trial.step, trial.verdict->outcome, trial.verdict->reason}].push_back(i);
  }
  bool any = false;
  for (std::size_t i = 0; i < run.trials.size(); ++i) {
    const TrialRecord& trial = run.trials[i];
    if (!is_worth_it(trial) || said.contains(i)) continue;
    if (!any && !choices_.quiet) out_ << '\n';
    if (!any && choices_.quiet && run.simulated()) out_ << simulated_line(run) << '\n';
    any = true;
    if (!trial.verdict) {
      out_ << terminal_.coloured(Outcome::error, fmt::format("{:<7}", "open")) << "  "
           << terminal_.bold(harmless(trial_name(run, trial))) << "  was open when the journal ended\n";
      continue;
    }
    const auto& same = alike.at({trial.step, trial.verdict->outcome, trial.verdict->reason});
    said.insert(same.begin(), same.end());
    sentence(run, i, same);
  }
  out_.flush();
}

// Of one trial, and of those on other nodes that came to the same.
void Console::sentence(const Run& run, std::size_t index, const std::vector<std::size_t>& same) {
  const TrialRecord& trial = run.trials[index];
  std::string name = trial_name(run, trial);
  if (same.size() > 1) {
    std::vector<std::string> nodes;
    for (const std::size_t each : same) nodes.push_back(run.trials[each].node);
    name = fmt::format("{} on {}", run.step_of(trial).id, fold_nodes(nodes));
  }
  out_ << terminal_.coloured(trial.verdict->outcome, fmt::format("{:<7}", to_text(trial.verdict->outcome))) << "  "
       << terminal_.bold(harmless(name)) << "  " << harmless(trial.verdict->reason) << '\n';
  constexpr std::size_t kShownFindings = 5;
  const auto& findings = trial.verdict->findings;
  for (std::size_t f = 1; f < std::min(findings.size(), kShownFindings); ++f) {
    out_ << std::string(kIndent, ' ') << harmless(findings[f].text) << '\n';
  }
  if (findings.size() > kShownFindings) {
    out_ << std::string(kIndent, ' ') << fmt::format("and {} more\n", findings.size() - kShownFindings);
  }
  if (const auto names = not_tried_because_of(run, index); !names.empty()) {
    out_ << std::string(kIndent, ' ') << harmless(fmt::format("not tried because of it: {}", fmt::join(names, ", ")))
         << '\n';
  }
}

void Console::last_line(const Run& run) {
  if (choices_.quiet) return;
  out_ << '\n';
  if (run.simulated()) out_ << terminal_.bold(simulated_line(run)) << '\n';
  const Outcome outcome = run.outcome();
  out_ << terminal_.coloured(outcome, to_text(outcome)) << "  " << counts(run) << "  in "
       << duration_text(run.last_us - run.started_us) << '\n';
  if (!run.ended) out_ << "The journal ends before the run does; `rackproof run --resume` finishes it.\n";
  if (run.ended && !run.ended->interrupted.empty()) out_ << harmless(run.ended->interrupted) << '\n';
  out_.flush();
}

// What all of them came to; what was shown before is drawn over.
void Console::node_lines(const Run& run) {
  erase_live_line();
  if (choices_.quiet || !is_on_many_nodes(run)) return;
  out_ << '\n';
  for (const std::string& line : node_table(run, terminal_, kShownRows)) out_ << line << '\n';
  out_.flush();
}

void Console::live_table(const Run& run) {
  const std::int64_t now = now_us();
  if (now < draw_again_us_) return;
  const std::vector<std::string> lines = node_table(run, terminal_, kLiveRows);
  // Of very many nodes it takes its time, which is better spent on them.
  draw_again_us_ = now_us() + std::max(kRedrawnUs, kDrawnShare * (now_us() - now));
  erase_live_line();
  for (const std::string& line : lines) out_ << line << '\n';
  out_ << fmt::format("  {}", duration_text(now - run.started_us));
  out_.flush();
  live_lines_ = lines.size() + 1;
}

void Console::live_line(const Run& run) {
  if (choices_.quiet || !terminal_.is_live()) return;
  if (is_on_many_nodes(run)) return live_table(run);
  const auto running = std::ranges::find_if(run.trials, [](const TrialRecord& trial) { return trial.open(); });
  if (running == run.trials.end()) return;
  const Step& step = run.step_of(*running);
  const std::int64_t elapsed = now_us() - running->started_us;
  const auto expected = choices_.expected_us.find(step.id);
  const std::string of = expected != choices_.expected_us.end()
                             ? fmt::format("of about {}", duration_text(expected->second))
                             : fmt::format("of at most {}", to_text(step.timeout));
  const std::string line = fmt::format("  ...      {:<16} {:>8}   {}  {}", harmless(trial_name(run, *running)),
                                       duration_text(elapsed), of, last_note_);
  out_ << "\r\x1b[K" << cut_to(line, terminal_.width());
  out_.flush();
  live_lines_ = 1;
}

void Console::erase_live_line() {
  if (live_lines_ > 1) out_ << fmt::format("\x1b[{}A", live_lines_ - 1);
  if (live_lines_ > 0) out_ << (live_lines_ > 1 ? "\r\x1b[J" : "\r\x1b[K");
  live_lines_ = 0;
}

}  // namespace rackproof
