// A GPU and its NVLinks as devices and links of the node: what it is, and never how it is.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "checks/api/report.h"
#include "checks/gpu/nvml_gpus.h"

namespace rackproof {

// The same vertex as host.inventory's, with what only the driver knows.
Device to_device(const NvidiaGpu&);

// The machine, with the versions of the driver.
Device machine_with_driver(const Nvml&);

// One data path for each pair of ends, with how many NVLinks make it up. Between two GPUs it is said once, by the one
// with the lesser address (`gpus`: of all of them). Links whose other end is not told are left out.
std::vector<Link> nvlink_paths(const std::string& address, const std::vector<NvmlGpu::Nvlink>&,
                               const std::set<std::string>& gpus);

}  // namespace rackproof
