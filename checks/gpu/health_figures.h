// Figures of one GPU, in tables that declare each and say how it is read: so a metric stands in one place.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "checks/api/check.h"
#include "checks/gpu/nvml_gpu.h"

namespace rackproof {

// What is read once for a GPU, because several figures come from it.
struct GpuReading {
  const NvmlGpu& gpu;
  std::vector<NvmlGpu::Nvlink> nvlinks;
  std::optional<NvmlGpu::RemappedRows> remapped;
  std::optional<std::uint64_t> reasons;

  explicit GpuReading(const NvmlGpu& of)
      : gpu(of), nvlinks(of.each_nvlink()), remapped(of.remapped_rows()), reasons(of.throttle_reasons()) {}
};

struct Figure {
  rackproof_metric metric;
  std::optional<double> (*read)(const GpuReading&);
};

// Those that gpu.health measures of each GPU; those that gpu.counters counts.
std::span<const Figure> health_figures();
std::span<const Figure> counter_figures();

// The declarations of the figures and of what else the check measures, ended as the ABI wants it.
std::vector<rackproof_metric> declared(std::span<const Figure>, std::span<const rackproof_metric> more);

// Remembers which figures which GPUs did not give, to say it in few notes.
class Unreported {
 public:
  void asked(const std::string& device) { asked_.insert(device); }
  void add(const std::string& metric, const std::string& device) { devices_[metric].insert(device); }
  // "NVML does not tell retired_pages_single_bit, … of any GPU", or of which.
  std::vector<std::string> sentences() const;

 private:
  std::set<std::string> asked_;
  std::map<std::string, std::set<std::string>> devices_;
};

void measure(Context&, const std::string& device, std::span<const Figure>, const GpuReading&, Unreported&);

}  // namespace rackproof
