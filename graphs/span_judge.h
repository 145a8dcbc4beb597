// Verdicts on a step that spans nodes: what one node measured with another is laid to the part that accounts for it, and
// not to the one that reports it.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "graphs/run.h"

namespace rackproof {

// For every trial of the step that has an ending, the fabric's among them; in the order of the trials.
std::vector<std::pair<std::size_t, Verdict>> judge_span(const Run&, std::size_t step);

// What should be run yet before that: rounds of groups of trials, no trial twice in a round; none when nothing is open.
// Pairs: suspects with good partners, once. Groups: halves of those that failed, until each bad node stands alone.
using TrialRounds = std::vector<std::vector<std::vector<std::size_t>>>;
// Such as have ended badly so far are given: their ends are not in the run yet.
TrialRounds open_questions(const Run&, std::size_t step, const std::vector<std::size_t>& ended_badly);

}  // namespace rackproof
