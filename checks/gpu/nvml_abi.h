// The part of NVML's binary interface that we use, declared by ourselves: the CUDA toolkit holds no nvml.h, and a check
// that needs none works wherever a driver is.
//
// Numbers and layouts as in NVIDIA's nvml.h of CUDA 12.2 (NVIDIA/go-nvml, gen/nvml/nvml.h) and, for what came later, as
// NVIDIA's Python bindings have them. They do not change once published: a new layout has a new name or version.
#pragma once

#include <cstdint>

namespace rackproof::nvml {

using Return = int;
inline constexpr Return kSuccess = 0;
inline constexpr Return kUninitialized = 1;
inline constexpr Return kInvalidArgument = 2;
inline constexpr Return kNotSupported = 3;
inline constexpr Return kNoPermission = 4;
inline constexpr Return kNotFound = 6;
inline constexpr Return kInsufficientSize = 7;
inline constexpr Return kInsufficientPower = 8;
inline constexpr Return kDriverNotLoaded = 9;
inline constexpr Return kIrqIssue = 11;
inline constexpr Return kFunctionNotFound = 13;
inline constexpr Return kGpuIsLost = 15;
inline constexpr Return kResetRequired = 16;
inline constexpr Return kOperatingSystem = 17;  // blocked by a control group
inline constexpr Return kVersionMismatch = 25;

struct DeviceHandle;
using Device = DeviceHandle*;

inline constexpr unsigned kMostText = 96;  // no text that is asked for is longer
inline constexpr unsigned kMostNvlinks = 18;

struct PciInfo {
  char legacy_bus_id[16];
  unsigned domain;
  unsigned bus;
  unsigned device;
  unsigned device_and_vendor;
  unsigned subsystem;
  char bus_id[32];  // "00000000:17:00.0"
};

struct Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};

struct Bar1Memory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};

struct Process {  // of nvmlDeviceGetComputeRunningProcesses_v3
  unsigned pid;
  unsigned long long memory;
  unsigned gpu_instance;
  unsigned compute_instance;
};

struct ViolationTime {
  unsigned long long reference_us;
  unsigned long long violation_ns;
};

struct BanksByRemapsLeft {
  unsigned max;
  unsigned high;
  unsigned partial;
  unsigned low;
  unsigned none;
};

struct FabricInfo {
  unsigned version;
  unsigned char cluster[16];
  Return status;
  unsigned clique;
  unsigned char state;
  unsigned health;
};
inline constexpr unsigned kFabricVersion = static_cast<unsigned>(sizeof(FabricInfo)) | 2u << 24;

struct MarginTemperature {
  unsigned version;
  int degrees;
};
inline constexpr unsigned kMarginVersion = static_cast<unsigned>(sizeof(MarginTemperature)) | 1u << 24;

union Value {
  double real;
  int signed_int;
  unsigned unsigned_int;
  unsigned long unsigned_long;
  unsigned long long unsigned_long_long;
  long long signed_long_long;
};
enum ValueType : unsigned { kDouble = 0, kUnsigned, kUnsignedLong, kUnsignedLongLong, kSignedLongLong, kSigned };

struct FieldValue {
  unsigned field;
  unsigned scope;  // a link, for fields of links
  long long timestamp_us;
  long long latency_us;
  ValueType type;
  Return result;
  Value value;
};
inline constexpr unsigned kFieldMemoryTemperature = 82;
inline constexpr unsigned kFieldNvlinkCount = 91;
inline constexpr unsigned kFieldNvlinkReplays = 161;
inline constexpr unsigned kFieldNvlinkRecoveries = 162;
inline constexpr unsigned kFieldNvlinkCrc = 163;
inline constexpr unsigned kFieldNvlinkSpeed = 164;  // MB/s
inline constexpr unsigned kFieldPcieRecoveries = 169;
inline constexpr unsigned kFieldNvlinkRecoveryEvents = 215;  // from NVLink 5 on
inline constexpr unsigned kFieldNvlinkEffectiveErrors = 219;

enum Clock : unsigned { kGraphicsClock = 0, kSmClock = 1, kMemoryClock = 2 };
enum TemperatureThreshold : unsigned { kShutdown = 0, kSlowdown = 1, kMemoryMaximum = 2, kGpuMaximum = 3 };
enum MemoryError : unsigned { kCorrected = 0, kUncorrected = 1 };
enum Lifetime : unsigned { kVolatile = 0, kAggregate = 1 };  // since the driver was loaded; of the board
enum RetirementCause : unsigned { kSingleBit = 0, kDoubleBit = 1 };
enum NvlinkError : unsigned { kReplay = 0, kRecovery = 1, kCrcFlit = 2, kCrcData = 3 };
enum Policy : unsigned {
  kPowerPolicy = 0, kThermalPolicy, kSyncBoostPolicy, kBoardLimitPolicy, kLowUtilizationPolicy, kReliabilityPolicy,
};

inline constexpr unsigned long long kReasonIdle = 0x1;
inline constexpr unsigned long long kReasonApplicationClocks = 0x2;
inline constexpr unsigned long long kReasonSwPowerCap = 0x4;
inline constexpr unsigned long long kReasonHwSlowdown = 0x8;
inline constexpr unsigned long long kReasonSyncBoost = 0x10;
inline constexpr unsigned long long kReasonSwThermal = 0x20;
inline constexpr unsigned long long kReasonHwThermal = 0x40;
inline constexpr unsigned long long kReasonHwPowerBrake = 0x80;
inline constexpr unsigned long long kReasonDisplayClocks = 0x100;

static_assert(sizeof(PciInfo) == 68 && sizeof(Process) == 24 && sizeof(FieldValue) == 40 && sizeof(FabricInfo) == 36);

}  // namespace rackproof::nvml
