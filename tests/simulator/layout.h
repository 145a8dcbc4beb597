// Lays out a simulated node: a folder with the profile, the faults, and the /sys, /proc and /etc that its checks read.
#pragma once

#include <string>
#include <vector>

#include "tests/simulator/fault.h"
#include "tests/simulator/layout_tree.h"
#include "tests/simulator/profile.h"

namespace rackproof::simulator {

// The driver of a node whose fault is "driver old".
inline constexpr const char* kOldDriver = "450.80.02";

// `directory` must be new; afterwards it holds profile.yaml, faults.txt, state, sysroot/, and `said`, a line for people:
// "hgx-h100-8 with gpu:3 link width 8". Throws std::runtime_error with one sentence, and then leaves nothing behind.
void lay_out(const std::string& profile_file, const std::vector<std::string>& faults, const std::string& directory);

// The parts of it.
void lay_out_host(LayoutTree&, const Profile&);
void lay_out_pci(LayoutTree&, const Profile&, const std::vector<Fault>&);
void lay_out_driver(LayoutTree&, const Profile&, const std::vector<Fault>&);

}  // namespace rackproof::simulator
