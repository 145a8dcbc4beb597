// Stand-in for libnvidia-ml.so.1: the library, its handles, and what each GPU is.
#include <cstring>

#include "tests/simulator/nvml_node.h"

using namespace rackproof::nvml;
using namespace rackproof::simulator;

namespace {

// "00000000:17:00.0", "0000:17:00.0", in any case → as the profile writes it.
std::string as_written(const char* given) {
  const PciInfo info = to_pci_info(given, 0);
  char text[32];
  std::snprintf(text, sizeof text, "%04x:%02x:%02x.0", info.domain, info.bus, info.device);
  return text;
}

template <class Tell>
Return tell(Device device, char* buffer, unsigned size, Tell what) {
  int number = -1;
  if (const Return code = to_number(device, number); code != kSuccess) return code;
  return put_text(what(*nvml_node(), number), buffer, size);
}

Return give(int number, Device* device) {
  if (device == nullptr) return kInvalidArgument;
  if (nvml_node()->is_lost(number)) return kGpuIsLost;
  *device = to_handle(number);
  return kSuccess;
}

}  // namespace

RACKPROOF_NVML nvmlInit_v2() { return open_nvml_node(); }
RACKPROOF_NVML nvmlInit() { return open_nvml_node(); }
RACKPROOF_NVML nvmlInitWithFlags(unsigned) { return open_nvml_node(); }
RACKPROOF_NVML nvmlShutdown() { return close_nvml_node(); }

extern "C" __attribute__((visibility("default"))) const char* nvmlErrorString(Return code) {
  switch (code) {
    case kSuccess: return "Success";
    case kUninitialized: return "Uninitialized";
    case kInvalidArgument: return "Invalid Argument";
    case kNotSupported: return "Not Supported";
    case kNotFound: return "Not Found";
    case kInsufficientSize: return "Insufficient Size";
    case kDriverNotLoaded: return "Driver Not Loaded";
    case kGpuIsLost: return "GPU is lost";
    case kVersionMismatch: return "Argument version mismatch";
    default: return "Unknown Error";
  }
}

RACKPROOF_NVML nvmlSystemGetDriverVersion(char* buffer, unsigned size) {
  return nvml_node() == nullptr ? kUninitialized : put_text(nvml_node()->driver(), buffer, size);
}

RACKPROOF_NVML nvmlSystemGetNVMLVersion(char* buffer, unsigned size) {
  if (nvml_node() == nullptr) return kUninitialized;
  return put_text(std::to_string(nvml_node()->cuda_version() / 1000) + "." + nvml_node()->driver(), buffer, size);
}

RACKPROOF_NVML nvmlSystemGetCudaDriverVersion_v2(int* version) {
  if (nvml_node() == nullptr) return kUninitialized;
  if (version == nullptr) return kInvalidArgument;
  *version = nvml_node()->cuda_version();
  return kSuccess;
}

RACKPROOF_NVML nvmlDeviceGetCount_v2(unsigned* count) {
  if (nvml_node() == nullptr) return kUninitialized;
  if (count == nullptr) return kInvalidArgument;
  *count = static_cast<unsigned>(nvml_node()->named().size());
  return kSuccess;
}

RACKPROOF_NVML nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
  if (nvml_node() == nullptr) return kUninitialized;
  if (index >= nvml_node()->named().size()) return kInvalidArgument;
  return give(nvml_node()->named()[index], device);
}

RACKPROOF_NVML nvmlDeviceGetHandleByPciBusId_v2(const char* address, Device* device) {
  if (nvml_node() == nullptr) return kUninitialized;
  if (address == nullptr) return kInvalidArgument;
  for (const int number : nvml_node()->named()) {
    if (nvml_node()->gpu(number).address == as_written(address)) return give(number, device);
  }
  return kNotFound;
}

RACKPROOF_NVML nvmlDeviceGetName(Device device, char* buffer, unsigned size) {
  return tell(device, buffer, size, [](const NvmlNode& node, int) { return node.kind().name; });
}
RACKPROOF_NVML nvmlDeviceGetUUID(Device device, char* buffer, unsigned size) {
  return tell(device, buffer, size, [](const NvmlNode& node, int number) { return node.gpu(number).uuid; });
}
RACKPROOF_NVML nvmlDeviceGetSerial(Device device, char* buffer, unsigned size) {
  return tell(device, buffer, size, [](const NvmlNode& node, int number) { return node.gpu(number).serial; });
}
RACKPROOF_NVML nvmlDeviceGetBoardPartNumber(Device device, char* buffer, unsigned size) {
  return tell(device, buffer, size, [](const NvmlNode& node, int) { return node.kind().board_part; });
}
RACKPROOF_NVML nvmlDeviceGetVbiosVersion(Device device, char* buffer, unsigned size) {
  return tell(device, buffer, size, [](const NvmlNode& node, int) { return node.kind().vbios; });
}
RACKPROOF_NVML nvmlDeviceGetInforomImageVersion(Device device, char* buffer, unsigned size) {
  return tell(device, buffer, size, [](const NvmlNode& node, int) { return node.kind().inforom; });
}

RACKPROOF_NVML nvmlDeviceGetPciInfo_v3(Device device, PciInfo* info) {
  return answer(device, info, [](const NvmlNode& node, int number) {
    return to_pci_info(node.gpu(number).address, node.kind().device_id);
  });
}
RACKPROOF_NVML nvmlDeviceGetModuleId(Device device, unsigned* module) {
  int known = -1;
  if (const Return code = to_number(device, known); code != kSuccess) return code;
  if (nvml_node()->kind().nvlinks == 0) return kNotSupported;  // a card in a slot sits on no baseboard
  return answer(device, module, [](const NvmlNode& node, int number) { return node.gpu(number).module; });
}
RACKPROOF_NVML nvmlDeviceGetMinorNumber(Device device, unsigned* minor) {
  return answer(device, minor, [](const NvmlNode&, int number) { return number; });
}
RACKPROOF_NVML nvmlDeviceGetNumGpuCores(Device device, unsigned* cores) {
  // 128 FP32 lanes in each multiprocessor, but 64 in the A100's (compute capability 8.0).
  return answer(device, cores, [](const NvmlNode& node, int) {
    const bool is_ga100 = node.kind().compute_major == 8 && node.kind().compute_minor == 0;
    return node.kind().multiprocessors * (is_ga100 ? 64 : 128);
  });
}
RACKPROOF_NVML nvmlDeviceGetCudaComputeCapability(Device device, int* major, int* minor) {
  const Return code = answer(device, major, [](const NvmlNode& node, int) { return node.kind().compute_major; });
  if (code != kSuccess) return code;
  return answer(device, minor, [](const NvmlNode& node, int) { return node.kind().compute_minor; });
}
