// The entry points of NVML that we call. Each may be null: an older driver has fewer.
#pragma once

#include "checks/gpu/nvml_abi.h"

namespace rackproof::nvml {

struct EntryPoints {
  using Text = Return(Device, char*, unsigned);
  using Number = Return(Device, unsigned*);
  using Pair = Return(Device, unsigned*, unsigned*);

  Return (*init)() = nullptr;
  Return (*shutdown)() = nullptr;
  const char* (*error_string)(Return) = nullptr;
  Return (*driver_version)(char*, unsigned) = nullptr;
  Return (*nvml_version)(char*, unsigned) = nullptr;
  Return (*cuda_version)(int*) = nullptr;
  Return (*count)(unsigned*) = nullptr;
  Return (*by_index)(unsigned, Device*) = nullptr;
  Return (*by_pci)(const char*, Device*) = nullptr;

  Text* name = nullptr;
  Text* uuid = nullptr;
  Text* serial = nullptr;
  Text* board_part = nullptr;
  Text* vbios = nullptr;
  Text* inforom = nullptr;
  Return (*pci)(Device, PciInfo*) = nullptr;
  Number* module = nullptr;
  Number* minor = nullptr;
  Number* cores = nullptr;
  Return (*compute_capability)(Device, int*, int*) = nullptr;
  Return (*memory)(Device, Memory*) = nullptr;
  Return (*bar1)(Device, Bar1Memory*) = nullptr;

  Return (*clock)(Device, Clock, unsigned*) = nullptr;
  Return (*clock_max)(Device, Clock, unsigned*) = nullptr;
  Number* power = nullptr;  // mW, as the two limits
  Number* power_limit = nullptr;
  Number* power_limit_default = nullptr;
  Return (*energy)(Device, unsigned long long*) = nullptr;  // mJ
  Return (*temperature)(Device, unsigned sensor, unsigned*) = nullptr;
  Return (*temperature_threshold)(Device, TemperatureThreshold, unsigned*) = nullptr;
  Return (*temperature_margin)(Device, MarginTemperature*) = nullptr;
  Return (*throttle_reasons)(Device, unsigned long long*) = nullptr;
  Return (*violation)(Device, Policy, ViolationTime*) = nullptr;

  Number* persistence = nullptr;
  Number* compute_mode = nullptr;
  Pair* mig = nullptr;  // now, and after the next reset
  Pair* ecc = nullptr;
  Return (*ecc_errors)(Device, MemoryError, Lifetime, unsigned long long*) = nullptr;
  Return (*remapped_rows)(Device, unsigned* correctable, unsigned* uncorrectable, unsigned* pending,
                          unsigned* failed) = nullptr;
  Return (*banks)(Device, BanksByRemapsLeft*) = nullptr;
  Return (*retired_pages)(Device, RetirementCause, unsigned* count, unsigned long long* addresses) = nullptr;
  Number* retirement_pending = nullptr;

  Number* pcie_generation = nullptr;
  Number* pcie_generation_max = nullptr;
  Number* pcie_width = nullptr;
  Number* pcie_width_max = nullptr;
  Number* pcie_replays = nullptr;
  Return (*nvlink_state)(Device, unsigned link, unsigned*) = nullptr;
  Return (*nvlink_version)(Device, unsigned link, unsigned*) = nullptr;
  Return (*nvlink_errors)(Device, unsigned link, NvlinkError, unsigned long long*) = nullptr;
  Return (*nvlink_remote)(Device, unsigned link, PciInfo*) = nullptr;
  Return (*fabric)(Device, FabricInfo*) = nullptr;
  Return (*fields)(Device, int count, FieldValue*) = nullptr;
  Return (*compute_processes)(Device, unsigned* count, Process*) = nullptr;
  Return (*mps_processes)(Device, unsigned* count, Process*) = nullptr;
};

// Calls an entry point, unless this driver does not have it.
template <class... Parameters, class... Arguments>
Return ask(Return (*call)(Parameters...), Arguments... arguments) {
  return call == nullptr ? kFunctionNotFound : call(arguments...);
}

}  // namespace rackproof::nvml
