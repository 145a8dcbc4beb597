// What does not move: who an adapter is, and who a port is.
#pragma once

#include "checks/api/report.h"
#include "checks/infiniband/adapter_port.h"

namespace rackproof {

// Names are those of host.inventory: adapter_type, board, firmware, node_guid.
Facts adapter_facts(const SysRoot&, const AdapterPort&);

// link_layer, lid, sm_lid, port_guid, gids and the like.
Facts port_facts(const SysRoot&, const AdapterPort&);

// What two adapters share when they are of the same make, so that their ports can be expected to run alike.
std::string make_of(const SysRoot&, const AdapterPort&);

}  // namespace rackproof
