#include "checks/gpu/nvml.h"

#include <dlfcn.h>

#include <charconv>
#include <cstdlib>

namespace rackproof {
namespace {

constexpr const char* kLibrary = "libnvidia-ml.so.1";

// Looks up one entry point after the other; what is missing is remembered by name.
class Resolver {
 public:
  Resolver(void* library, std::vector<std::string>& missing) : library_(library), missing_(missing) {}

  template <class Function>
  void operator()(const char* symbol, Function*& call) {
    call = reinterpret_cast<Function*>(::dlsym(library_, symbol));
    if (call == nullptr) missing_.emplace_back(symbol);
  }

 private:
  void* library_;
  std::vector<std::string>& missing_;
};

void resolve_driver(nvml::EntryPoints& calls, Resolver& find) {
  find("nvmlInit_v2", calls.init);
  find("nvmlShutdown", calls.shutdown);
  find("nvmlErrorString", calls.error_string);
  find("nvmlSystemGetDriverVersion", calls.driver_version);
  find("nvmlSystemGetNVMLVersion", calls.nvml_version);
  find("nvmlSystemGetCudaDriverVersion_v2", calls.cuda_version);
  find("nvmlDeviceGetCount_v2", calls.count);
  find("nvmlDeviceGetHandleByIndex_v2", calls.by_index);
  find("nvmlDeviceGetHandleByPciBusId_v2", calls.by_pci);
}

void resolve_identity(nvml::EntryPoints& calls, Resolver& find) {
  find("nvmlDeviceGetName", calls.name);
  find("nvmlDeviceGetUUID", calls.uuid);
  find("nvmlDeviceGetSerial", calls.serial);
  find("nvmlDeviceGetBoardPartNumber", calls.board_part);
  find("nvmlDeviceGetVbiosVersion", calls.vbios);
  find("nvmlDeviceGetInforomImageVersion", calls.inforom);
  find("nvmlDeviceGetPciInfo_v3", calls.pci);
  find("nvmlDeviceGetModuleId", calls.module);
  find("nvmlDeviceGetMinorNumber", calls.minor);
  find("nvmlDeviceGetNumGpuCores", calls.cores);
  find("nvmlDeviceGetCudaComputeCapability", calls.compute_capability);
  find("nvmlDeviceGetMemoryInfo", calls.memory);
  find("nvmlDeviceGetBAR1MemoryInfo", calls.bar1);
}

void resolve_load(nvml::EntryPoints& calls, Resolver& find) {
  find("nvmlDeviceGetClockInfo", calls.clock);
  find("nvmlDeviceGetMaxClockInfo", calls.clock_max);
  find("nvmlDeviceGetPowerUsage", calls.power);
  find("nvmlDeviceGetPowerManagementLimit", calls.power_limit);
  find("nvmlDeviceGetPowerManagementDefaultLimit", calls.power_limit_default);
  find("nvmlDeviceGetTotalEnergyConsumption", calls.energy);
  find("nvmlDeviceGetTemperature", calls.temperature);
  find("nvmlDeviceGetTemperatureThreshold", calls.temperature_threshold);
  find("nvmlDeviceGetMarginTemperature", calls.temperature_margin);
  find("nvmlDeviceGetCurrentClocksThrottleReasons", calls.throttle_reasons);
  find("nvmlDeviceGetViolationStatus", calls.violation);
  find("nvmlDeviceGetPersistenceMode", calls.persistence);
  find("nvmlDeviceGetComputeMode", calls.compute_mode);
  find("nvmlDeviceGetMigMode", calls.mig);
  find("nvmlDeviceGetComputeRunningProcesses_v3", calls.compute_processes);
  find("nvmlDeviceGetMPSComputeRunningProcesses_v3", calls.mps_processes);
}

void resolve_errors(nvml::EntryPoints& calls, Resolver& find) {
  find("nvmlDeviceGetEccMode", calls.ecc);
  find("nvmlDeviceGetTotalEccErrors", calls.ecc_errors);
  find("nvmlDeviceGetRemappedRows", calls.remapped_rows);
  find("nvmlDeviceGetRowRemapperHistogram", calls.banks);
  find("nvmlDeviceGetRetiredPages", calls.retired_pages);
  find("nvmlDeviceGetRetiredPagesPendingStatus", calls.retirement_pending);
  find("nvmlDeviceGetCurrPcieLinkGeneration", calls.pcie_generation);
  find("nvmlDeviceGetMaxPcieLinkGeneration", calls.pcie_generation_max);
  find("nvmlDeviceGetCurrPcieLinkWidth", calls.pcie_width);
  find("nvmlDeviceGetMaxPcieLinkWidth", calls.pcie_width_max);
  find("nvmlDeviceGetPcieReplayCounter", calls.pcie_replays);
  find("nvmlDeviceGetNvLinkState", calls.nvlink_state);
  find("nvmlDeviceGetNvLinkVersion", calls.nvlink_version);
  find("nvmlDeviceGetNvLinkErrorCounter", calls.nvlink_errors);
  find("nvmlDeviceGetNvLinkRemotePciInfo_v2", calls.nvlink_remote);
  find("nvmlDeviceGetGpuFabricInfoV", calls.fabric);
  find("nvmlDeviceGetFieldValues", calls.fields);
}

std::string asked(nvml::Return (*call)(char*, unsigned)) {
  char text[nvml::kMostText] = {};
  if (call == nullptr || call(text, sizeof text) != nvml::kSuccess) return "";
  text[sizeof text - 1] = '\0';
  return text;
}

std::optional<int> leading_number(const std::string& version) {
  int number = 0;
  const auto [end, code] = std::from_chars(version.data(), version.data() + version.size(), number);
  return code == std::errc{} ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<Nvml> Nvml::open(const SysRoot& root, std::string& why_not) {
  if (!root.is_real() && std::getenv("RACKPROOF_SIMULATION") == nullptr) {
    why_not = "NVML speaks of this machine, not of the one below " + root.directory();
    return std::nullopt;
  }
  // Never closed: the driver's library may keep threads of its own.
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* cause = ::dlerror();
    why_not = cause != nullptr ? cause : std::string(kLibrary) + " cannot be opened";
    return std::nullopt;
  }
  Nvml opened;
  opened.calls_ = std::make_unique<nvml::EntryPoints>();
  Resolver find(library, opened.missing_);
  resolve_driver(*opened.calls_, find);
  resolve_identity(*opened.calls_, find);
  resolve_load(*opened.calls_, find);
  resolve_errors(*opened.calls_, find);
  if (opened.calls_->init == nullptr || opened.calls_->count == nullptr || opened.calls_->by_index == nullptr ||
      opened.calls_->by_pci == nullptr) {
    opened.calls_->shutdown = nullptr;
    why_not = std::string(kLibrary) + " is not NVML, or older than any that is known: it lacks " +
              opened.missing_.front();
    return std::nullopt;
  }
  if (const nvml::Return code = opened.calls_->init(); code != nvml::kSuccess) {
    why_not = "NVML does not initialise: " + opened.error_text(code);
    opened.calls_->shutdown = nullptr;
    return std::nullopt;
  }
  return opened;
}

Nvml::~Nvml() {
  if (calls_ != nullptr && calls_->shutdown != nullptr) calls_->shutdown();
}

std::string Nvml::driver_version() const { return asked(calls_->driver_version); }
std::string Nvml::nvml_version() const { return asked(calls_->nvml_version); }

std::string Nvml::cuda_version() const {
  int number = 0;  // 13000
  if (calls_->cuda_version == nullptr || calls_->cuda_version(&number) != nvml::kSuccess) return "";
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

std::optional<int> Nvml::driver_branch() const { return leading_number(driver_version()); }
std::optional<int> Nvml::cuda_major() const { return leading_number(cuda_version()); }

unsigned Nvml::count() const {
  unsigned number = 0;
  return calls_->count(&number) == nvml::kSuccess ? number : 0;
}

Nvml::Found Nvml::by_index(unsigned index) const {
  nvml::Device device = nullptr;
  const nvml::Return code = calls_->by_index(index, &device);
  return code == nvml::kSuccess ? Found{NvmlGpu(*calls_, device), code} : Found{{}, code};
}

Nvml::Found Nvml::by_pci(const std::string& address) const {
  nvml::Device device = nullptr;
  const nvml::Return code = calls_->by_pci(address.c_str(), &device);
  if (code == nvml::kSuccess) return {NvmlGpu(*calls_, device), code};
  if (code != nvml::kNotFound && code != nvml::kInvalidArgument) return {{}, code};
  // In case a driver takes addresses in its own form alone: eight digits, capitals.
  for (unsigned index = 0; index < count(); ++index) {
    const Found found = by_index(index);
    if (found.gpu && found.gpu->pci_address() == address) return found;
  }
  return {{}, code};
}

std::string Nvml::error_text(nvml::Return code) const {
  const char* text = calls_->error_string == nullptr ? nullptr : calls_->error_string(code);
  return text != nullptr && *text != '\0' ? text : "NVML error " + std::to_string(code);
}

}  // namespace rackproof
