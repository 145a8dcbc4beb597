// One GPU through a whole burn, and through one precision of it: what is known of it so far.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checks/gpu/burn_gpu.h"
#include "checks/gpu/burn_sensors.h"

namespace rackproof {

struct BurnMember {
  Gpu gpu;
  GpuSensors sensors;
  bool is_out = false;  // lost, hung, too hot, or without memory: nothing more is started on it
  std::int64_t products = 0;
  std::int64_t product_errors = 0;
  std::int64_t reference_errors = 0;
  std::int64_t not_finite = 0;
};

struct BurnRun {
  BurnRun(BurnMember& of, const BurnSetup& by) : member(of), setup(by) {}

  BurnMember& member;
  const BurnSetup& setup;
  std::unique_ptr<BurningGpu> burning;
  bool is_lost = false;  // its figures are worth nothing
  BurnHistory history;
  DigestTally tally;           // of this round
  std::int64_t round_ns = 0;   // device time of this round
  std::int64_t looked_ns = 0;  // of which the sensors have seen
  double flop = 0;             // all, over all rounds
  double load_s = 0;
  std::optional<double> energy_j;
  std::vector<double> clocks_mhz;
  std::vector<double> powers_w;
  std::int64_t own_errors = 0;      // products unlike the usual one of this GPU
  std::int64_t foreign_errors = 0;  // … unlike those of the other GPUs
  std::int64_t reference_errors = 0;
  std::int64_t not_finite = 0;
  std::string first_reference_error;
  std::string difference;  // where its products differ from those of the other GPUs
};

}  // namespace rackproof
