// How findings are worded: the part, what was measured, what was expected, and where that is written.
#pragma once

#include <string>
#include <string_view>

#include "graphs/run.h"

namespace rackproof {

// "pci:0000:17:00.0 (ConnectX-7)", or the id alone when no name is known.
std::string name_of_device(const Run&, std::string_view node, std::string_view id);

// ">= 90 % of speed_capable", without the metric and the device glob.
std::string relation_of(const Limit&);

// How the process ended, when that alone makes the trial undecided; empty when it ended by itself with status 0.
std::string describe(const Ending&, const Step&);

// "500 ms", "2 min".
std::string to_text(std::chrono::milliseconds);

}  // namespace rackproof
