// What is broken on a simulated node: one sentence each, as `--fault` takes it.
//
//   gpu:N missing                       neither on PCI nor known to the driver
//   gpu:N lost [after TIME]             falls off the bus after TIME of its own work (0 s)
//   gpu:N hangs [after TIME]            what it begins after TIME of its own work never ends
//   gpu:N link width LANES              trained down; so is its bandwidth
//   gpu:N link speed RATE               "16 GT/s"
//   gpu:N link errors                   correctable AER errors and replays under load
//   switch:N uplink P %                 carries only P % of what it should; nothing in /sys shows it
//   gpu:N flips copies                  a bit in one of every few copies, to the host or from it
//   gpu:N flips peer copies             likewise, in what it reads from a peer
//   gpu:N flips memory stuck|coupled|rare
//   gpu:N flips gemm random|always      always: the same wrong product every time
//   gpu:N flips collective
//   gpu:N ecc corrected|uncorrected     counts rise while it works
//   gpu:N remap pending|rising|failed
//   gpu:N throttles thermal|power [after TIME]
//   gpu:N slow P %
//   gpu:N nvlink L down|errors
//   gpu:N nccl hung|slow [P %]
//   gpu:N memory full                   somebody else holds nearly all of it
//   gpu:N process                       somebody else computes on it
//   gpu:N xid CODE                      in the kernel's log
//   nic:N slow P %                      carries less by P % between nodes; nothing in /sys shows it
//   node hung                           its NCCL never comes together with that of other nodes
//   fabric down                         the fabric manager does not run
//   driver old                          older than the CUDA runtime needs
//   nvml silent                         does not initialise
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulator/profile.h"

namespace rackproof::simulator {

enum class FaultKind {
  gpu_missing, gpu_lost, gpu_hangs, link_width, link_speed, link_errors, uplink_share, flip_copies, flip_peer_copies,
  memory_stuck, memory_coupled, memory_rare, gemm_random, gemm_always, flip_collective, ecc_corrected, ecc_uncorrected,
  remap_pending, remap_rising, remap_failed, throttle_thermal, throttle_power, slow, nvlink_down, nvlink_errors,
  nccl_hung, nccl_slow, memory_full, other_process, xid, nic_slow, node_hung, fabric_down, driver_old, nvml_silent,
};

struct Fault {
  FaultKind kind{};
  int target = -1;      // GPU, switch or adapter, as the profile counts them; -1: the node
  int index = 0;        // NVLink
  double amount = 0;    // lanes, GT/s, a share in percent, Xid
  double after_s = 0;   // of the GPU's own work
  std::string text;     // as given
};

// Throws std::runtime_error with one sentence that names the word that does not fit, or the GPU that is not there.
Fault parse_fault(std::string_view text, const Profile&);

// One sentence a line; blank lines are passed over. Throws "FILE:LINE: sentence".
std::vector<Fault> read_faults(const std::string& file, const Profile&);

// The grammar, a form a line, and what each means.
struct FaultForm {
  std::string_view words;  // "gpu:N link width LANES"
  FaultKind kind{};
  std::string_view meaning;
};
std::span<const FaultForm> fault_forms();

}  // namespace rackproof::simulator
