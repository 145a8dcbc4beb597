#include "runner/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "graphs/judge.h"
#include "runner/clock.h"

namespace rackproof {
namespace {

// More than the largest honest check says (all pairs of 72 GPUs, three metrics each), and little enough to hold.
constexpr std::int64_t kMostReports = 32'768;
constexpr std::int64_t kMostBytes = 8 << 20;
constexpr std::chrono::milliseconds kTick{200};

std::string shortened(std::string_view text) {
  constexpr std::size_t kShown = 60;
  return text.size() <= kShown ? std::string(text) : fmt::format("{}…", text.substr(0, kShown));
}

}  // namespace

std::vector<std::string> metrics_referred_to(const std::vector<Step>& steps) {
  std::vector<std::string> metrics;
  for (const Step& step : steps) {
    for (const Expectation& expectation : step.expectations) {
      const auto* share = std::get_if<ShareBound>(&expectation.limit.bound);
      if (share != nullptr && !share->step.empty()) metrics.push_back(share->metric);
    }
  }
  return metrics;
}

Executor::Executor(Run& run, Plan plan, Launcher& launcher, JournalWriter& journal, CommandOf command_of,
                   Listener listener)
    : run_(run),
      plan_(std::move(plan)),
      launcher_(launcher),
      journal_(journal),
      command_of_(std::move(command_of)),
      listener_(std::move(listener)),
      referred_(metrics_referred_to(run.steps)) {
  for (std::size_t i = 0; i < run_.trials.size(); ++i) {
    if (!run_.trials[i].verdict) continue;
    plan_.ended(i, run_.trials[i].verdict->outcome);
    run_.forget_reports(i, referred_);
  }
}

void Executor::write(EventBody body, const std::string& node) {
  const Event event{now_us(), node, std::move(body)};
  journal_.append(event);
  run_.apply(event);
  if (listener_) listener_(&event, run_);
}

void Executor::execute() {
  try {
    judge_what_had_ended();
    while (plan_.anything_left() && interrupted_.empty()) {
      while (const auto blocked_trial = plan_.next_blocked()) {
        const TrialRecord& trial = run_.trials[*blocked_trial];
        write(TrialJudged{trial.id, blocked(run_, trial)}, trial.node);
        plan_.ended(*blocked_trial, Outcome::blocked);
      }
      while (const auto next = plan_.next_to_start()) start(*next);
      if (courses_.empty()) {
        if (plan_.anything_left() && !plan_.next_blocked()) throw std::logic_error("the plan has trials that can never start");
        continue;
      }
      const Happening happening = launcher_.wait(kTick);
      std::visit(
          [this](const auto& what) {
            if constexpr (std::is_same_v<std::decay_t<decltype(what)>, Quiet>) {
              if (listener_) listener_(nullptr, run_);
            } else {
              on(what);
            }
          },
          happening);
    }
  } catch (const JournalFull& full) {
    interrupted_ = fmt::format("the journal cannot be written: {}", full.what());
  }
  write_last_words();
}

// Whatever ended the run, every bracket closes: open trials are stopped and judged, then the run itself ends. A journal
// that takes not even its last words throws JournalFull; the children end with the launcher then.
void Executor::write_last_words() {
  journal_.use_reserve();
  while (!courses_.empty()) {
    Course& course = courses_.begin()->second;
    Ending ending = course.ending;
    if (course.running) {
      launcher_.stop(courses_.begin()->first, interrupted_);
      const Happening happening = launcher_.wait(kTick);
      const auto* finished = std::get_if<Finished>(&happening);
      if (finished == nullptr) continue;
      courses_.at(finished->trial).running = false;
      courses_.at(finished->trial).ending = finished->ending;
      continue;
    }
    ending.how = Ending::How::stopped;
    ending.why = interrupted_;
    close(course, std::move(ending));
  }
  write(RunEnded{run_.outcome(), interrupted_}, run_.node);
  journal_.sync();
}

void Executor::start(std::size_t trial) {
  const TrialRecord& record = run_.trials[trial];
  write(TrialStarted{record.id}, record.node);
  plan_.started(trial);
  Course course;
  course.trial = trial;
  start_process(courses_.insert_or_assign(record.id, std::move(course)).first->second);
}

void Executor::start_process(Course& course) {
  const TrialRecord& record = run_.trials[course.trial];
  const Step& step = run_.step_of(record);
  const std::size_t watches = step.watch.size();
  const bool is_check = course.process == watches;
  course.running = true;
  const std::size_t watch = course.process < watches ? course.process : course.process - watches - 1;
  launcher_.start({.trial = record.id,
                   .argv = command_of_(step, is_check ? step.check : step.watch[watch], !is_check),
                   .timeout = step.timeout,
                   .grace = step.grace});
}

void Executor::count(Course& course, std::size_t bytes) {
  ++course.reports;
  course.bytes += static_cast<std::int64_t>(bytes);
}

void Executor::on(const Said& said) {
  const auto found = courses_.find(said.trial);
  if (found == courses_.end()) return;
  Course& course = found->second;
  if (course.too_much || !course.garbled.empty()) return;
  const TrialRecord& record = run_.trials[course.trial];
  const Step& step = run_.step_of(record);

  count(course, said.line.size());
  if (course.reports > kMostReports || course.bytes > kMostBytes) {
    course.too_much = true;
    launcher_.stop(said.trial, fmt::format("said more than {} reports or {} MiB, and was stopped", kMostReports,
                                           kMostBytes >> 20));
    return;
  }
  const auto report = decoder_.report(said.line);
  if (!report) {
    course.garbled = fmt::format("line {} of what it said is no report ({}): {}", course.reports, decoder_.why(),
                                 shortened(said.line));
    return;
  }
  if (course.process == step.watch.size()) {
    write(Reported{record.id, *report, ""}, record.node);
  } else {
    on_watch(course, step, *report);
  }
}

// The counters of a watch are remembered before the check, and subtracted after it.
void Executor::on_watch(Course& course, const Step& step, const Report& report) {
  const TrialRecord& record = run_.trials[course.trial];
  const bool is_after = course.process > step.watch.size();
  const std::string& watch = step.watch[is_after ? course.process - step.watch.size() - 1 : course.process];
  const bool is_said_once = std::holds_alternative<Device>(report) || std::holds_alternative<Simulated>(report);
  if (is_said_once && is_after) write(Reported{record.id, report, watch}, record.node);
  const auto* reading = std::get_if<Measurement>(&report);
  if (reading == nullptr) return;
  const std::string key = fmt::format("{}\n{}\n{}", watch, reading->device, reading->metric);
  if (!is_after) {
    course.before[key] = reading->value;
    return;
  }
  Measurement difference = *reading;
  if (const auto before = course.before.find(key); before != course.before.end()) {
    // A counter that fell was reset in between; what it shows now is what was counted since.
    if (reading->value >= before->second) difference.value = reading->value - before->second;
    write(Reported{record.id, difference, watch}, record.node);
  }
}

void Executor::on(const Babbled& babbled) {
  const auto found = courses_.find(babbled.trial);
  if (found != courses_.end() && found->second.garbled.empty()) found->second.garbled = babbled.why;
}

void Executor::on(const Finished& finished) {
  Course& course = courses_.at(finished.trial);
  course.running = false;
  const std::size_t watches = run_.step_of(run_.trials[course.trial]).watch.size();
  if (course.process == watches) {
    course.ending = finished.ending;
    course.ending.garbled = course.garbled;
  }
  if (course.process == 2 * watches) return close(course, course.ending);
  ++course.process;
  course.garbled.clear();
  course.too_much = false;
  course.reports = 0;
  course.bytes = 0;
  start_process(course);
}

void Executor::close(Course& course, Ending ending) {
  const std::size_t index = course.trial;
  const std::string id = run_.trials[index].id;
  write(TrialEnded{id, std::move(ending)}, run_.trials[index].node);
  judge_trial(index);
  courses_.erase(id);
}

void Executor::judge_trial(std::size_t index) {
  const TrialRecord& trial = run_.trials[index];
  const Verdict verdict = judge(run_, trial);
  write(TrialJudged{trial.id, verdict}, trial.node);
  journal_.sync();
  run_.forget_reports(index, referred_);
  plan_.ended(index, verdict.outcome);
}

// A run that was cut off between a trial's end and its verdict has all the evidence: it is not measured again.
void Executor::judge_what_had_ended() {
  for (std::size_t i = 0; i < run_.trials.size(); ++i) {
    if (run_.trials[i].ending && !run_.trials[i].verdict) judge_trial(i);
  }
}

void Executor::on(const Interrupted& interrupted) {
  signal_ = interrupted.signal;
  const char* name = ::sigabbrev_np(interrupted.signal);
  interrupted_ = fmt::format("interrupted by SIG{}", name == nullptr ? "?" : name);
}

}  // namespace rackproof
