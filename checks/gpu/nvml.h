// NVML, opened at run time: the driver's own account of its GPUs. Needs no CUDA, and no GPU to be built.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checks/api/sysroot.h"
#include "checks/gpu/nvml_abi.h"
#include "checks/gpu/nvml_entry_points.h"
#include "checks/gpu/nvml_gpu.h"

namespace rackproof {

class Nvml {
 public:
  // nullopt fills `why_not` with one sentence: the library is absent, the driver does not answer, or the sysroot is of
  // another machine, of which NVML knows nothing.
  static std::optional<Nvml> open(const SysRoot&, std::string& why_not);
  Nvml(Nvml&&) noexcept = default;
  Nvml& operator=(Nvml&&) noexcept = delete;
  ~Nvml();

  std::string driver_version() const;  // "580.65.06"; empty when it does not say
  std::string nvml_version() const;
  std::string cuda_version() const;  // "13.0": the newest that the driver supports
  // The first number of each version: 580, 13. What is older than a program needs is so by these.
  std::optional<int> driver_branch() const;
  std::optional<int> cuda_major() const;

  // How many GPUs it names, among them those that do not answer.
  unsigned count() const;

  struct Found {
    std::optional<NvmlGpu> gpu;  // nothing: `code` says why
    nvml::Return code = nvml::kSuccess;
  };
  Found by_index(unsigned index) const;  // in the order of PCI addresses
  Found by_pci(const std::string& address) const;

  std::string error_text(nvml::Return) const;  // "GPU is lost"

  // Entry points that this driver does not have; what they would tell is not reported.
  const std::vector<std::string>& missing() const { return missing_; }

 private:
  Nvml() = default;
  std::unique_ptr<nvml::EntryPoints> calls_;  // where it stays, for the NvmlGpu that point to it
  std::vector<std::string> missing_;
};

}  // namespace rackproof
