// What the kernel's log says of each GPU and NVSwitch, as counts and a note.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/gpu/kernel_log.h"

namespace rackproof {

// Those of the last `since_s` seconds, all where that is 0. nullopt after a note that says why the log is not readable.
std::optional<std::vector<Xid>> recent_xids(Context&, double since_s);

// Those with a time within `since_s` of `now_s`, or of the last one where that is later; those without a time stay.
std::vector<Xid> newest(std::vector<Xid>, double now_s, double since_s);

std::int64_t count_xids(const std::vector<Xid>&, const std::string& address, bool of_hardware_alone);

// "pci:0000:17:00.0: Xid 79, 48 twice"; empty where there is none. The last ones first.
std::string xid_sentence(const std::vector<Xid>&, const std::string& address);

}  // namespace rackproof
