// A run in words: the numbers worth a look, the reasons for what was not passed, and the last line.
#pragma once

#include <string>
#include <vector>

#include "graphs/run.h"

namespace rackproof {

// "triad 32.1 GB/s, copy 30.2 GB/s": one entry a metric, in the order in which the check declares them; a metric of
// several devices as its range. Needs the trial's reports.
std::vector<std::string> key_numbers(const Run&, const TrialRecord&);

// Trials that were not tried because of this one, directly or through others, by step id.
std::vector<std::string> not_tried_because_of(const Run&, std::size_t trial);

// "5 trials: 2 pass, 1 fail, 2 blocked"
std::string counts(const Run&);

// "12.3 s"
std::string duration_text(std::int64_t microseconds);

}  // namespace rackproof
