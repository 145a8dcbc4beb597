// The counters of a port that infiniband.ports reads.
#pragma once

#include <span>

#include "checks/api/rising_counters.h"

namespace rackproof {

std::span<const RisingCounter> port_counters();

}  // namespace rackproof
