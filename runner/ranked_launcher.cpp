#include "runner/ranked_launcher.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace rackproof {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kCards = "rackproof-cards";
constexpr milliseconds kCardsUpWithin{30'000};
constexpr milliseconds kCardsDownWithin{15'000};
constexpr milliseconds kForAsLongAsItTakes{24 * 3600 * 1000};

// A socket's path may hold some hundred characters, so it lies neither in the run's folder nor in TMPDIR.
std::string new_folder() {
  std::string pattern = fmt::format("/tmp/{}XXXXXX", kCardsFolder);
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error(fmt::format("no folder can be made in /tmp: {}", std::strerror(errno)));
  }
  return pattern;
}

// "0=node01,3=node04|-|…": this rank's group in each round, as checks/api/ranks.h reads it.
std::string rounds_of(const AgentRequest& request, std::size_t rank) {
  std::string text;
  for (const RankRound& round : request.rounds) {
    if (!text.empty()) text += '|';
    const auto own =
        std::ranges::find_if(round, [&](const RankGroup& group) { return std::ranges::count(group, rank) > 0; });
    std::string members;
    if (own != round.end()) {
      for (const std::size_t member : *own) {
        members += fmt::format("{}{}={}", members.empty() ? "" : ",", member, request.nodes.at(member));
      }
    }
    text += members.empty() ? "-" : members;
  }
  return text;
}

std::vector<std::string> ranked(std::vector<std::string> environment, const AgentRequest& request, std::size_t rank,
                                const std::string& folder) {
  environment.push_back(fmt::format("RACKPROOF_RANK={}", rank));
  environment.push_back(fmt::format("RACKPROOF_ROUNDS={}", rounds_of(request, rank)));
  environment.push_back(fmt::format("RACKPROOF_CARDS={}/socket", folder));
  return environment;
}

bool is_of_cards(const Happening& happening) {
  if (const auto* said = std::get_if<Said>(&happening)) return said->trial == kCards;
  if (const auto* babbled = std::get_if<Babbled>(&happening)) return babbled->trial == kCards;
  if (const auto* finished = std::get_if<Finished>(&happening)) return finished->trial == kCards;
  return false;
}

}  // namespace

RankedLauncher::RankedLauncher(const Installation& installation, const AgentRequest& request, std::size_t rank,
                               std::vector<std::string> environment)
    : folder_(new_folder()),
      local_({installation.check_program, "--guard"}, ranked(std::move(environment), request, rank, folder_)) {
  local_.clear_at_the_end(folder_);
  local_.start({.trial = kCards,
                .argv = {installation.cards_program, folder_ + "/socket"},
                .timeout = kForAsLongAsItTakes,
                .grace = kCardsDownWithin,
                .listens = true});
  cards_run_ = true;
  try {
    await_cards(rank);
  } catch (const std::runtime_error&) {
    end_cards();
    throw;
  }
}

// "rank 3 of 16", when it serves.
void RankedLauncher::await_cards(std::size_t rank) {
  const auto deadline = Clock::now() + kCardsUpWithin;
  while (true) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) throw std::runtime_error(fmt::format("{} did not come up within 30 s", kCards));
    const Happening happening = local_.wait(left);
    if (const auto* interrupted = std::get_if<Interrupted>(&happening)) {
      throw std::runtime_error(fmt::format("ended by signal {} before it began", interrupted->signal));
    }
    if (const auto* finished = std::get_if<Finished>(&happening)) {
      cards_run_ = false;
      const Ending& ending = finished->ending;
      throw std::runtime_error(fmt::format("{} did not come up: {}", kCards,
                                           !ending.last_error.empty() ? ending.last_error
                                           : !ending.why.empty()      ? ending.why
                                                                      : fmt::format("it ended with {}", ending.code)));
    }
    const auto* said = std::get_if<Said>(&happening);
    if (said == nullptr || !said->line.starts_with("rank ")) continue;
    if (said->line.starts_with(fmt::format("rank {} of ", rank))) return;
    throw std::runtime_error(fmt::format("the engine calls this '{}', and the run calls it rank {}", said->line, rank));
  }
}

RankedLauncher::~RankedLauncher() { end_cards(); }

void RankedLauncher::end_cards() {
  if (cards_run_) local_.stop(kCards, "the step has ended");
  // It bounds itself below that. Killing it would take the whole launch down with it.
  const auto deadline = Clock::now() + 2 * kCardsDownWithin;
  while (cards_run_ && Clock::now() < deadline) {
    const Happening happening = local_.wait(milliseconds{200});
    if (is_of_cards(happening) && std::holds_alternative<Finished>(happening)) cards_run_ = false;
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

// Those who wait for trials hear nothing of the cards. Where they have ended, the check finds nobody and says so.
Happening RankedLauncher::wait(milliseconds at_most) {
  const auto deadline = Clock::now() + at_most;
  while (true) {
    const auto left = std::max(milliseconds{0}, std::chrono::duration_cast<milliseconds>(deadline - Clock::now()));
    Happening happening = local_.wait(left);
    if (!is_of_cards(happening)) return happening;
    if (std::holds_alternative<Finished>(happening)) cards_run_ = false;
  }
}

}  // namespace rackproof
