#include "runner/run_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <optional>

#include "runner/input_error.h"

namespace rackproof {

namespace fs = std::filesystem;

std::string new_run_id(const std::string& recipe) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return fmt::format("{}-{}-{}", recipe, text, ::getpid());
}

void make_run_folder(const std::string& folder) {
  std::error_code why;
  fs::create_directories(folder, why);
  if (why) throw InputError(fmt::format("{}: {}", folder, why.message()));
  if (!fs::is_empty(folder, why)) {
    throw InputError(fmt::format("{}: is not empty; a run needs a folder of its own", folder));
  }
}

std::string latest_run(const std::string& runs, const std::string& recipe, const std::string& except) {
  std::error_code none;
  fs::path latest;
  fs::file_time_type latest_time;
  for (const auto& entry : fs::directory_iterator(runs, none)) {
    const fs::path journal = entry.path() / "journal.jsonl";
    if (!except.empty() && fs::equivalent(entry.path(), except, none)) continue;
    if (!recipe.empty() && !entry.path().filename().string().starts_with(recipe + "-")) continue;
    const auto time = fs::last_write_time(journal, none);
    if (none || (!latest.empty() && time <= latest_time)) continue;
    latest = entry.path();
    latest_time = time;
  }
  return latest.string();
}

JournalRead read_run(const std::string& path) {
  std::optional<JournalRead> read;
  try {
    read = read_journal(path);
  } catch (const std::runtime_error& error) {
    throw InputError(error.what());
  }
  if (read->events == 0) throw InputError(fmt::format("{}: holds no event of a run", journal_path(path)));
  return std::move(*read);
}

std::map<std::string, std::int64_t> durations_of(const std::string& run) {
  std::map<std::string, std::int64_t> durations;
  // A guess is not worth reading a rack's journal for.
  constexpr std::uintmax_t kLargest = 4 << 20;
  std::error_code none;
  if (run.empty() || fs::file_size(journal_path(run), none) > kLargest || none) return durations;
  try {
    const JournalRead read = read_journal(run);
    for (const TrialRecord& trial : read.run.trials) {
      if (trial.ending) durations[read.run.step_of(trial).id] = trial.ending->duration_us;
    }
  } catch (const std::runtime_error&) {
    return {};  // it only serves a guess of how long a step will take
  }
  return durations;
}

}  // namespace rackproof
