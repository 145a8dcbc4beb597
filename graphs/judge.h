// The only maker of verdicts: from what a trial's check said, how its process ended, and what was expected.
#pragma once

#include <optional>
#include <vector>

#include "graphs/run.h"

namespace rackproof {

// The trial must have an ending. The run gives the devices seen on the node (limits files say which they are for) and
// the measurements of other steps that a limit may refer to.
Verdict judge(const Run&, const TrialRecord&);

// Its two halves, for a step whose limits are not judged trial by trial. What comes before the limits: faults, how the
// check ended and spoke, a skip; nothing where the limits decide.
std::optional<Verdict> judge_before_limits(const Run&, const TrialRecord&);
// What the missed limits come to.
Verdict judge_by(const Run&, const TrialRecord&, std::vector<Finding> missed);

// For a trial that cannot start: names the needs that hold it back. At least one of them must have a verdict that does
// not let others start.
Verdict blocked(const Run&, const TrialRecord&);

}  // namespace rackproof
