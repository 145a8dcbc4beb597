// What a simulated node's files say while it works: error counters of PCIe links, and the kernel's log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/simulator/profile.h"

namespace rackproof::simulator {

// Text of aer_dev_correctable, aer_dev_nonfatal or aer_dev_fatal, `which` being the last part of the name.
std::string aer_text(std::string_view which, std::int64_t errors);

// PCI address of an NVSwitch: from 0000:eb:00.0 on, buses that the profiles leave free.
std::string nvswitch_address(int number);

// Adds to aer_dev_correctable of the device at `address` in the node laid out in `folder`. Processes may do so at once.
void count_corrected_errors(const std::string& folder, const std::string& address, std::int64_t more);

// "NVRM: Xid (PCI:0000:17:00): 79, pid='<unknown>', …", as the driver writes it.
std::string xid_message(const SimulatedGpu&, int code);

// A line of /var/log/kern.log: "Nov 25 03:10:00 node kernel: [  600.125000] message".
std::string kernel_line(double seconds_since_start, std::string_view message);
// Adds one with the time of now.
void append_kernel_log(const std::string& folder, std::string_view message);

}  // namespace rackproof::simulator
