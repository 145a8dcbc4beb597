// The simulation of fleets for the few nodes of a rack, of which the scatter can hardly be known.
#pragma once

#include <cstddef>

namespace rackproof::simulated {

// Prints, as a Markdown table, how often one slow node among so few is named after the second pass, and how often
// anybody else is accused.
void print_racks(std::size_t runs);

}  // namespace rackproof::simulated
