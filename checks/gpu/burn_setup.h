// Chooses what all GPUs of a kind compute in one precision: how large, by which algorithm, how many at a time.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/gpu/burn_run.h"

namespace rackproof {

struct BurnWish {
  std::int64_t size = 0;  // 0: as large as fits
  Seeds seeds;            // of the first round
  double duration_s = 0;  // of one round
  double pulse_s = 0;     // that a pulse lasts; 0: steady load
};

// nullopt when these GPUs cannot do it, after a note that says so. A GPU without the memory for it, or one that fails
// while it is tried, becomes a fault and is out.
std::optional<BurnSetup> set_up(Context&, const Precision&, std::span<BurnMember* const> of_a_kind, const BurnWish&);

}  // namespace rackproof
