// What NVML counts: memory errors, and the two kinds of links.
#include <algorithm>

#include "checks/gpu/nvml_gpu.h"

namespace rackproof {

using namespace nvml;

std::optional<bool> NvmlGpu::ecc() const {
  unsigned now = 0;
  unsigned later = 0;
  return ask(calls_->ecc, device_, &now, &later) == kSuccess ? std::optional(now != 0) : std::nullopt;
}

std::optional<bool> NvmlGpu::ecc_after_reset() const {
  unsigned now = 0;
  unsigned later = 0;
  return ask(calls_->ecc, device_, &now, &later) == kSuccess ? std::optional(later != 0) : std::nullopt;
}

std::optional<std::int64_t> NvmlGpu::ecc_errors(MemoryError kind, Lifetime lifetime) const {
  unsigned long long count = 0;
  if (ask(calls_->ecc_errors, device_, kind, lifetime, &count) != kSuccess) return std::nullopt;
  return static_cast<std::int64_t>(count);
}

std::optional<NvmlGpu::RemappedRows> NvmlGpu::remapped_rows() const {
  unsigned correctable = 0;
  unsigned uncorrectable = 0;
  unsigned pending = 0;
  unsigned failed = 0;
  if (ask(calls_->remapped_rows, device_, &correctable, &uncorrectable, &pending, &failed) != kSuccess) {
    return std::nullopt;
  }
  return RemappedRows{correctable, uncorrectable, pending != 0, failed != 0};
}

std::optional<std::int64_t> NvmlGpu::banks_without_spare() const {
  BanksByRemapsLeft banks{};
  return ask(calls_->banks, device_, &banks) == kSuccess ? std::optional<std::int64_t>(banks.none) : std::nullopt;
}

std::optional<std::int64_t> NvmlGpu::retired_pages(RetirementCause cause) const {
  unsigned count = 0;  // room for none: only how many there are
  const Return code = ask(calls_->retired_pages, device_, cause, &count, nullptr);
  return code == kSuccess || code == kInsufficientSize ? std::optional<std::int64_t>(count) : std::nullopt;
}

std::optional<bool> NvmlGpu::retirement_pending() const {
  const auto pending = number(calls_->retirement_pending);
  return pending ? std::optional(*pending != 0) : std::nullopt;
}

std::optional<std::int64_t> NvmlGpu::pcie_generation() const { return number(calls_->pcie_generation); }
std::optional<std::int64_t> NvmlGpu::pcie_generation_max() const { return number(calls_->pcie_generation_max); }
std::optional<std::int64_t> NvmlGpu::pcie_width() const { return number(calls_->pcie_width); }
std::optional<std::int64_t> NvmlGpu::pcie_width_max() const { return number(calls_->pcie_width_max); }
std::optional<std::int64_t> NvmlGpu::pcie_replays() const { return number(calls_->pcie_replays); }
std::optional<std::int64_t> NvmlGpu::pcie_recoveries() const { return field(kFieldPcieRecoveries); }

std::int64_t NvmlGpu::Nvlink::errors() const {
  return crc_flit.value_or(0) + crc_data.value_or(0) + replays.value_or(0) + recoveries.value_or(0);
}

std::optional<std::int64_t> NvmlGpu::nvlinks() const {
  if (const auto count = field(kFieldNvlinkCount)) return std::min<std::int64_t>(*count, kMostNvlinks);
  std::int64_t found = 0;
  for (unsigned link = 0; link < kMostNvlinks; ++link) {
    unsigned state = 0;
    const Return code = ask(calls_->nvlink_state, device_, link, &state);
    if (code == kFunctionNotFound || code == kGpuIsLost) return std::nullopt;
    if (code == kSuccess) ++found;
  }
  return found;
}

// The counters have three forms: a call of their own, a field, and from NVLink 5 on another field. The first that this
// GPU knows counts. A field of 0 is none.
std::optional<std::int64_t> NvmlGpu::nvlink_errors(unsigned link, NvlinkError kind, unsigned older,
                                                   unsigned newer) const {
  unsigned long long count = 0;
  if (ask(calls_->nvlink_errors, device_, link, kind, &count) == kSuccess) return static_cast<std::int64_t>(count);
  if (older != 0) {
    if (const auto value = field(older, link)) return value;
  }
  return newer != 0 ? field(newer, link) : std::nullopt;
}

std::vector<NvmlGpu::Nvlink> NvmlGpu::each_nvlink() const {
  std::vector<Nvlink> links;
  const auto count = static_cast<unsigned>(nvlinks().value_or(0));
  for (unsigned link = 0; link < count; ++link) {
    unsigned state = 0;
    if (ask(calls_->nvlink_state, device_, link, &state) != kSuccess) continue;
    Nvlink one{.number = link, .active = state != 0, .remote = {}, .version = {}, .speed_gbs = {}, .crc_flit = {},
               .crc_data = {}, .replays = {}, .recoveries = {}};
    PciInfo remote{};
    if (ask(calls_->nvlink_remote, device_, link, &remote) == kSuccess) one.remote = sysfs_address(remote);
    unsigned version = 0;
    if (ask(calls_->nvlink_version, device_, link, &version) == kSuccess) one.version = version;
    if (const auto mbs = field(kFieldNvlinkSpeed, link)) one.speed_gbs = static_cast<double>(*mbs) / 1000;
    one.crc_flit = nvlink_errors(link, kCrcFlit, kFieldNvlinkCrc, 0);
    one.crc_data = nvlink_errors(link, kCrcData, 0, kFieldNvlinkEffectiveErrors);
    one.replays = nvlink_errors(link, kReplay, kFieldNvlinkReplays, 0);
    one.recoveries = nvlink_errors(link, kRecovery, kFieldNvlinkRecoveries, kFieldNvlinkRecoveryEvents);
    links.push_back(std::move(one));
  }
  return links;
}

std::optional<NvmlGpu::Fabric> NvmlGpu::fabric() const {
  FabricInfo info{};
  info.version = kFabricVersion;
  if (ask(calls_->fabric, device_, &info) != kSuccess) return std::nullopt;
  return Fabric{info.state, info.status};
}

}  // namespace rackproof
