// Reads what ibnetdiscover and iblinkinfo print.
#pragma once

#include <string_view>

#include "checks/infiniband/fabric_model.h"

namespace rackproof {

// Whether the text is a topology as ibnetdiscover writes it.
bool is_topology(std::string_view text);

// Nodes and links of such a topology. A line that is none of its own is passed over; a link whose one end no node
// claims is left out.
Fabric parse_topology(std::string_view text);

// What `iblinkinfo -l` says of each port, added to `fabric`; ports of unknown nodes are passed over.
void add_port_states(Fabric& fabric, std::string_view text);

}  // namespace rackproof
