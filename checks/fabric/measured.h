// What came of one direction, and how it is told to the partner that reports it.
#pragma once

#include <cstdint>
#include <vector>

#include "checks/api/sampler.h"
#include "checks/fabric/marks.h"
#include "checks/fabric/pace.h"
#include "checks/fabric/talk.h"

namespace rackproof {

struct Measured {
  Estimate estimate;
  Pace pace;
  Tally tally;
};

void put_into(Message&, const Measured&);
Measured measured_in(const Message&);

// What the follower makes of its own samples of a direction that the leader decided about: it keeps as many, the last.
Estimate last_of(const std::vector<Sample>&, std::int64_t kept, bool is_steady);

void add(Tally& sum, const Tally& more);

}  // namespace rackproof
