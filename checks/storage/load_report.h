// Turns what fio did under one load into measurements.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "checks/api/report.h"
#include "checks/api/sampler.h"
#include "checks/storage/fio_job.h"
#include "checks/storage/fio_result.h"

namespace rackproof {

// A load and the names of what it measures; an empty name is not measured.
struct MeasuredLoad {
  FioLoad load;
  std::string choice;   // its word in the parameter "only"
  std::string rate;     // metric of the rate, in bytes for large blocks and operations for small ones
  std::string latency;  // metrics of the latency begin so
  bool with_max = false;
};

// In the order in which they run: reads first, so that they meet the file as it was laid out.
std::vector<MeasuredLoad> all_loads(int depth, int jobs);

// `intervals` may be empty (fio wrote no log): then the rate is fio's mean alone, marked unsteady.
std::vector<Measurement> measurements_of(const MeasuredLoad&, const std::string& device, const FioResult&,
                                         std::span<const Sample> intervals);

// How far rate × mean latency is from the requests that were in flight, in per cent.
double queue_depth_error(const FioDirection&, int in_flight);

}  // namespace rackproof
