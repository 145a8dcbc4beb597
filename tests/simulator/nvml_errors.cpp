// Stand-in for libnvidia-ml.so.1: memory errors, and the two kinds of links.
#include "tests/simulator/node_files.h"
#include "tests/simulator/nvml_node.h"

using namespace rackproof::nvml;
using namespace rackproof::simulator;

namespace {

constexpr int kLastWithPages = 7;  // compute capability before rows were remapped
constexpr std::int64_t kNvswitch = 0x22a3;
constexpr unsigned char kFabricNotStarted = 1;
constexpr unsigned char kFabricCompleted = 3;
constexpr std::int64_t kErrorsPerRecovery = 10;

// PCIe generations by signalling rate.
unsigned generation(double gts) {
  unsigned number = 1;
  for (const double faster : {5.0, 8.0, 16.0, 32.0, 64.0}) number += gts >= faster ? 1 : 0;
  return number;
}

bool has_pages(const NvmlNode& node) { return node.kind().compute_major <= kLastWithPages; }

// An NVLink of the GPU, or why there is none.
Return to_link(Device device, unsigned link, int& number) {
  if (const Return code = to_number(device, number); code != kSuccess) return code;
  if (nvml_node()->kind().nvlinks == 0) return kNotSupported;
  return static_cast<int>(link) < nvml_node()->kind().nvlinks ? kSuccess : kInvalidArgument;
}

Return link_field(Device device, FieldValue& asked) {
  int number = -1;
  if (const Return code = to_link(device, asked.scope, number); code != kSuccess) return code;
  const bool is_down = nvml_node()->nvlink_is_down(number, static_cast<int>(asked.scope));
  asked.type = kUnsigned;
  asked.value.unsigned_int = is_down ? 0 : static_cast<unsigned>(nvml_node()->kind().nvlink_gbs * 1000);
  return kSuccess;
}

}  // namespace

RACKPROOF_NVML nvmlDeviceGetEccMode(Device device, unsigned* now, unsigned* later) {
  const Return code = answer(device, now, [](const NvmlNode&, int) { return 1; });
  return code == kSuccess ? answer(device, later, [](const NvmlNode&, int) { return 1; }) : code;
}

RACKPROOF_NVML nvmlDeviceGetTotalEccErrors(Device device, MemoryError kind, Lifetime, unsigned long long* count) {
  return answer(device, count, [kind](const NvmlNode& node, int number) {
    const GpuState& state = node.state(number);
    return kind == kCorrected ? state.ecc_corrected.load() : state.ecc_uncorrected.load();
  });
}

RACKPROOF_NVML nvmlDeviceGetRemappedRows(Device device, unsigned* correctable, unsigned* uncorrectable,
                                         unsigned* pending, unsigned* failed) {
  int number = -1;
  if (const Return code = to_number(device, number); code != kSuccess) return code;
  const NvmlNode& node = *nvml_node();
  if (has_pages(node)) return kNotSupported;
  const bool waits = node.has(FaultKind::remap_pending, number);
  const bool cannot = node.has(FaultKind::remap_failed, number);
  *correctable = 0;
  *uncorrectable = static_cast<unsigned>(node.state(number).rows_remapped) + (waits || cannot ? 1 : 0);
  *pending = waits ? 1 : 0;
  *failed = cannot ? 1 : 0;
  return kSuccess;
}

RACKPROOF_NVML nvmlDeviceGetRowRemapperHistogram(Device device, BanksByRemapsLeft* banks) {
  return answer(device, banks, [](const NvmlNode& node, int number) {
    constexpr unsigned kBanks = 640;
    const unsigned spent = node.has(FaultKind::remap_failed, number) ? 1 : 0;
    const unsigned used = node.state(number).rows_remapped > 0 || node.has(FaultKind::remap_pending, number) ? 1 : 0;
    return BanksByRemapsLeft{kBanks - spent - used, used, 0, 0, spent};
  });
}

RACKPROOF_NVML nvmlDeviceGetRetiredPages(Device device, RetirementCause, unsigned* count, unsigned long long*) {
  int number = -1;
  if (const Return code = to_number(device, number); code != kSuccess) return code;
  if (!has_pages(*nvml_node())) return kNotSupported;
  *count = 0;
  return kSuccess;
}

RACKPROOF_NVML nvmlDeviceGetRetiredPagesPendingStatus(Device device, unsigned* pending) {
  int number = -1;
  if (const Return code = to_number(device, number); code != kSuccess) return code;
  if (!has_pages(*nvml_node())) return kNotSupported;
  *pending = 0;
  return kSuccess;
}

RACKPROOF_NVML nvmlDeviceGetCurrPcieLinkGeneration(Device device, unsigned* number_of) {
  return answer(device, number_of, [](const NvmlNode& node, int number) {
    const Fault* slow = node.fault(FaultKind::link_speed, number);
    return generation(slow != nullptr ? slow->amount : node.profile().slot.speed_gts);
  });
}
RACKPROOF_NVML nvmlDeviceGetMaxPcieLinkGeneration(Device device, unsigned* number_of) {
  return answer(device, number_of, [](const NvmlNode& node, int) { return generation(node.profile().slot.speed_gts); });
}
RACKPROOF_NVML nvmlDeviceGetCurrPcieLinkWidth(Device device, unsigned* lanes) {
  return answer(device, lanes, [](const NvmlNode& node, int number) {
    const Fault* narrow = node.fault(FaultKind::link_width, number);
    return narrow != nullptr ? static_cast<int>(narrow->amount) : node.profile().slot.width;
  });
}
RACKPROOF_NVML nvmlDeviceGetMaxPcieLinkWidth(Device device, unsigned* lanes) {
  return answer(device, lanes, [](const NvmlNode& node, int) { return node.profile().slot.width; });
}
RACKPROOF_NVML nvmlDeviceGetPcieReplayCounter(Device device, unsigned* count) {
  return answer(device, count, [](const NvmlNode& node, int number) { return node.state(number).replays.load(); });
}

RACKPROOF_NVML nvmlDeviceGetNvLinkState(Device device, unsigned link, unsigned* active) {
  int number = -1;
  if (const Return code = to_link(device, link, number); code != kSuccess) return code;
  *active = nvml_node()->nvlink_is_down(number, static_cast<int>(link)) ? 0 : 1;
  return kSuccess;
}

RACKPROOF_NVML nvmlDeviceGetNvLinkVersion(Device device, unsigned link, unsigned* version) {
  int number = -1;
  if (const Return code = to_link(device, link, number); code != kSuccess) return code;
  *version = static_cast<unsigned>(nvml_node()->kind().nvlink_version);
  return kSuccess;
}

RACKPROOF_NVML nvmlDeviceGetNvLinkErrorCounter(Device device, unsigned link, NvlinkError kind,
                                               unsigned long long* count) {
  int number = -1;
  if (const Return code = to_link(device, link, number); code != kSuccess) return code;
  const std::int64_t errors = nvml_node()->nvlink_errors(number, static_cast<int>(link));
  switch (kind) {
    case kReplay:
    case kCrcData: *count = static_cast<unsigned long long>(errors); return kSuccess;
    case kRecovery: *count = static_cast<unsigned long long>(errors / kErrorsPerRecovery); return kSuccess;
    case kCrcFlit: *count = 0; return kSuccess;
  }
  return kInvalidArgument;
}

// Links are spread evenly over the NVSwitches. What is at the other end of one that is down is not known.
RACKPROOF_NVML nvmlDeviceGetNvLinkRemotePciInfo_v2(Device device, unsigned link, PciInfo* info) {
  int number = -1;
  if (const Return code = to_link(device, link, number); code != kSuccess) return code;
  const int switches = nvml_node()->profile().nvswitches;
  if (switches == 0 || nvml_node()->nvlink_is_down(number, static_cast<int>(link))) return kNotSupported;
  *info = to_pci_info(nvswitch_address(static_cast<int>(link) % switches), kNvswitch);
  return kSuccess;
}

RACKPROOF_NVML nvmlDeviceGetGpuFabricInfoV(Device device, FabricInfo* info) {
  if (info == nullptr) return kInvalidArgument;
  if (info->version != kFabricVersion) return kVersionMismatch;
  return answer(device, info, [](const NvmlNode& node, int) {
    FabricInfo fabric{};
    fabric.version = kFabricVersion;
    // From Hopper on, where there are NVSwitches.
    const bool has_one = node.kind().compute_major >= 9 && node.kind().nvlinks > 0;
    const bool is_down = node.fault(FaultKind::fabric_down, -1) != nullptr;
    fabric.state = !has_one ? 0 : is_down ? kFabricNotStarted : kFabricCompleted;
    return fabric;
  });
}

RACKPROOF_NVML nvmlDeviceGetFieldValues(Device device, int count, FieldValue* values) {
  int number = -1;
  if (const Return code = to_number(device, number); code != kSuccess) return code;
  for (int i = 0; i < count; ++i) {
    FieldValue& asked = values[i];
    asked.type = kUnsigned;
    asked.result = kSuccess;
    switch (asked.field) {
      case kFieldNvlinkCount: asked.value.unsigned_int = static_cast<unsigned>(nvml_node()->kind().nvlinks); break;
      case kFieldNvlinkSpeed: asked.result = link_field(device, asked); break;
      case kFieldPcieRecoveries: asked.value.unsigned_int = 0; break;
      case kFieldMemoryTemperature: {
        unsigned degrees = 0;
        asked.result = answer(device, &degrees, [](const NvmlNode& node, int gpu) {
          constexpr double kMemoryWarmer = 8;  // degC above the die
          const std::int64_t milli = node.state(gpu).temperature_mc;
          return (milli == 0 ? node.kind().idle_c : static_cast<double>(milli) / 1000) + kMemoryWarmer;
        });
        asked.value.unsigned_int = degrees;
        break;
      }
      default: asked.result = kNotSupported;
    }
  }
  return kSuccess;
}
