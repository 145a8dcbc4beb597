// Runs fio, tells its failures apart, and counts on the way what the disk did meanwhile.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/storage/block_device.h"
#include "checks/storage/fio_job.h"
#include "checks/storage/fio_result.h"
#include "checks/storage/place.h"

namespace rackproof {

class FioRuns {
 public:
  using Milliseconds = std::chrono::milliseconds;
  // Longer than fio needs to start, to end what is in flight and to print.
  static constexpr Milliseconds kGrace{30'000};

  FioRuns(Context& context, const StoragePlace& place) : context_(context), place_(place) {}

  // "auto" or an engine in, one that works out; what was passed over is noted. Throws Trouble when none works.
  std::string pick_engine(const std::string& wanted, FioTarget);

  // `name` is what fio does, in sentences. An I/O error is a fault and ends in Trouble, as all that fio cannot finish;
  // data that does not verify ends neither, where `failures` asks for it.
  FioResult run(const std::string& name, const std::vector<std::string>& argv, Milliseconds at_most,
                VerifyFailures* failures = nullptr);

  // Over all runs so far; nothing where the disk's counters are not known.
  void measure_device_ratios();

 private:
  std::optional<BlockCounters> counters() const;

  Context& context_;
  const StoragePlace& place_;
  BlockCounters fio_;
  BlockCounters device_;
};

}  // namespace rackproof
