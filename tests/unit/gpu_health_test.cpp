#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "checks/gpu/health_figures.h"
#include "checks/gpu/inventory_facts.h"
#include "checks/gpu/nvml_gpus.h"
#include "tests/support/check_reports.h"
#include "tests/support/sysroot_fixture.h"

using namespace rackproof;
using namespace rackproof::testing;

namespace {

using Handle = nvml::Device;
using nvml::EntryPoints;
using nvml::Return;

NvmlGpu gpu_of(const EntryPoints& calls) { return NvmlGpu(calls, nullptr); }

// Answers what the table holds for a field, in the type that NVML gives it; other fields are not supported.
Return give_fields(Handle, int count, nvml::FieldValue* values) {
  for (int i = 0; i < count; ++i) {
    nvml::FieldValue& asked = values[i];
    asked.result = nvml::kSuccess;
    if (asked.field == nvml::kFieldNvlinkCount) {
      asked.type = nvml::kUnsigned;
      asked.value.unsigned_int = 2;
    } else if (asked.field == nvml::kFieldNvlinkReplays) {
      asked.type = nvml::kUnsignedLongLong;
      asked.value.unsigned_long_long = 5'000'000'000 + asked.scope;
    } else if (asked.field == nvml::kFieldNvlinkRecoveryEvents) {
      asked.type = nvml::kSignedLongLong;
      asked.value.signed_long_long = 7;
    } else if (asked.field == nvml::kFieldNvlinkSpeed) {
      asked.type = nvml::kUnsigned;
      asked.value.unsigned_int = 26562;
    } else {
      asked.result = nvml::kNotSupported;
    }
  }
  return nvml::kSuccess;
}

Return give_state(Handle, unsigned link, unsigned* active) {
  *active = link == 0 ? 1 : 0;
  return nvml::kSuccess;
}

NvmlGpu::Nvlink nvlink(std::int64_t number, bool active, const std::string& remote) {
  return {.number = number, .active = active, .remote = remote, .version = 4, .speed_gbs = 25.0, .crc_flit = {},
          .crc_data = {}, .replays = {}, .recoveries = {}};
}

}  // namespace

TEST_CASE("NVML: a GPU's address is written as /sys writes it") {
  nvml::PciInfo info{};
  info.domain = 0;
  info.bus = 0xc8;
  CHECK(sysfs_address(info) == "0000:c8:00.0");
  info.domain = 0x10000;  // behind an Intel VMD
  info.device = 0x1f;
  CHECK(sysfs_address(info) == "10000:c8:1f.0");
}

TEST_CASE("NVML: what an older driver does not have is not told") {
  const EntryPoints none;
  const NvmlGpu gpu = gpu_of(none);
  CHECK_FALSE(gpu.uuid());
  CHECK_FALSE(gpu.power_w());
  CHECK_FALSE(gpu.sm_clock_mhz());
  CHECK_FALSE(gpu.memory());
  CHECK_FALSE(gpu.remapped_rows());
  CHECK_FALSE(gpu.nvlinks());
  CHECK(gpu.each_nvlink().empty());
  CHECK_FALSE(gpu.processes());
  CHECK_FALSE(gpu.fabric());
  CHECK_FALSE(gpu.is_lost());
  const GpuReading reading(gpu);
  for (const Figure& figure : health_figures()) {
    CAPTURE(figure.metric.name);
    CHECK_FALSE(figure.read(reading));
  }
}

TEST_CASE("NVML: numbers are given in the unit of their name") {
  EntryPoints calls;
  calls.power = [](Handle, unsigned* mw) { return *mw = 689'500, nvml::kSuccess; };
  calls.energy = [](Handle, unsigned long long* mj) { return *mj = 1'234'567, nvml::kSuccess; };
  calls.violation = [](Handle, nvml::Policy policy, nvml::ViolationTime* time) {
    time->violation_ns = policy == nvml::kThermalPolicy ? 2'500'000'000 : 0;
    return nvml::kSuccess;
  };
  CHECK(gpu_of(calls).power_w() == 689.5);
  CHECK(gpu_of(calls).energy_j() == 1234.567);
  CHECK(gpu_of(calls).violation_s(nvml::kThermalPolicy) == 2.5);
  CHECK(gpu_of(calls).violation_s(nvml::kPowerPolicy) == 0);
}

TEST_CASE("NVML: the margin to slowdown is the driver's own, or what is left to the threshold") {
  EntryPoints calls;
  calls.temperature = [](Handle, unsigned, unsigned* degrees) { return *degrees = 61, nvml::kSuccess; };
  CHECK_FALSE(gpu_of(calls).margin_c());
  calls.temperature_threshold = [](Handle, nvml::TemperatureThreshold which, unsigned* degrees) {
    return *degrees = which == nvml::kSlowdown ? 87 : 92, nvml::kSuccess;
  };
  CHECK(gpu_of(calls).margin_c() == 26);
  calls.temperature_margin = [](Handle, nvml::MarginTemperature* margin) {
    if (margin->version != 0x01000008) return nvml::kVersionMismatch;
    return margin->degrees = -3, nvml::kSuccess;
  };
  CHECK(gpu_of(calls).margin_c() == -3);
}

TEST_CASE("NVML: counters of NVLinks come by the first way that the GPU knows") {
  EntryPoints calls;
  calls.fields = give_fields;
  calls.nvlink_state = give_state;
  calls.nvlink_errors = [](Handle, unsigned, nvml::NvlinkError kind, unsigned long long* count) {
    if (kind != nvml::kCrcFlit) return nvml::kNotSupported;
    return *count = 11, nvml::kSuccess;
  };
  const auto links = gpu_of(calls).each_nvlink();
  REQUIRE(links.size() == 2);
  CHECK(links[0].active);
  CHECK_FALSE(links[1].active);
  CHECK(links[0].speed_gbs == 26.562);
  CHECK(links[0].crc_flit == 11);
  CHECK(links[1].replays == 5'000'000'001);
  CHECK(links[1].recoveries == 7);
  CHECK_FALSE(links[0].crc_data);
  CHECK(links[1].errors() == 11 + 5'000'000'001 + 7);

  const NvmlGpu gpu = gpu_of(calls);
  const GpuReading reading(gpu);
  for (const Figure& figure : health_figures()) {
    const std::string name = figure.metric.name;
    if (name == "nvlinks") CHECK(figure.read(reading) == 2);
    if (name == "nvlinks_active") CHECK(figure.read(reading) == 1);
    if (name == "nvlink_crc_flit") CHECK(figure.read(reading) == 22);
    if (name == "nvlink_crc_data") CHECK_FALSE(figure.read(reading));
    if (name == "nvlink_recoveries") CHECK(figure.read(reading) == 14);
  }
}

TEST_CASE("NVML: a process is counted once, however it computes") {
  EntryPoints calls;
  calls.compute_processes = [](Handle, unsigned* count, nvml::Process* processes) {
    processes[0] = {100, 5, 0, 0};
    processes[1] = {200, ~0ull, 0, 0};
    return *count = 2, nvml::kSuccess;
  };
  calls.mps_processes = [](Handle, unsigned* count, nvml::Process* processes) {
    processes[0] = {200, 7, 0, 0};
    return *count = 1, nvml::kSuccess;
  };
  const auto processes = gpu_of(calls).processes();
  REQUIRE(processes);
  REQUIRE(processes->size() == 2);
  CHECK((*processes)[0].pid == 100);
  CHECK((*processes)[1].memory == -1);
}

TEST_CASE("NVML: each reason of throttling is a figure of its own") {
  const std::map<std::uint64_t, std::string> metric_of_bit{
      {0x1, "idle"},
      {0x2, "throttle_application_clocks"},
      {0x4, "throttle_sw_power_cap"},
      {0x8, "throttle_hw_slowdown"},
      {0x10, "throttle_sync_boost"},
      {0x20, "throttle_sw_thermal"},
      {0x40, "throttle_hw_thermal"},
      {0x80, "throttle_power_brake"},
      {0x100, "throttle_display_clocks"},
  };
  const EntryPoints none;
  const NvmlGpu gpu = gpu_of(none);
  for (const auto& [bit, metric] : metric_of_bit) {
    GpuReading reading(gpu);
    reading.reasons = bit;
    std::set<std::string> on;
    std::size_t off = 0;
    for (const Figure& figure : health_figures()) {
      const auto value = figure.read(reading);
      if (value == 1) on.insert(figure.metric.name);
      if (value == 0) ++off;
    }
    CHECK(on == std::set<std::string>{metric});
    CHECK(off == metric_of_bit.size() - 1);
  }
}

TEST_CASE("NVML: what asking for a GPU comes to") {
  CHECK(gpu_state(nvml::kSuccess, "nvidia") == GpuState::answers);
  CHECK(gpu_state(nvml::kGpuIsLost, "nvidia") == GpuState::lost);
  CHECK(gpu_state(nvml::kNotFound, "nvidia") == GpuState::missing);
  CHECK(gpu_state(nvml::kNotFound, "") == GpuState::missing);
  CHECK(gpu_state(nvml::kNotFound, "vfio-pci") == GpuState::elsewhere);
  CHECK(gpu_state(nvml::kNoPermission, "nvidia") == GpuState::closed);
  CHECK(gpu_state(nvml::kInsufficientPower, "nvidia") == GpuState::broken);
  CHECK(gpu_state(999, "nvidia") == GpuState::broken);

  EntryPoints calls;
  calls.pcie_width = [](Handle, unsigned*) { return nvml::kGpuIsLost; };
  CHECK(gpu_of(calls).is_lost());
}

TEST_CASE("NVLinks with the same other end are one path, between two GPUs said once") {
  const std::string self = "0000:18:00.0";
  const auto paths = nvlink_paths(self,
                                  {nvlink(0, true, "0000:eb:00.0"), nvlink(1, true, "0000:eb:00.0"),
                                   nvlink(2, false, "0000:eb:00.0"), nvlink(3, true, "0000:17:00.0"),
                                   nvlink(4, true, "0000:19:00.0"), nvlink(5, false, "")},
                                  {"0000:17:00.0", self, "0000:19:00.0"});
  REQUIRE(paths.size() == 2);
  CHECK(paths[0].to == "pci:0000:19:00.0");
  CHECK(paths[1].from == "pci:0000:18:00.0");
  CHECK(paths[1].to == "pci:0000:eb:00.0");
  CHECK(fact(paths[1].facts, "links") == "3");
  CHECK(fact(paths[1].facts, "links_active") == "2");
  CHECK(fact(paths[1].facts, "bandwidth_gbs") == "50");
}

TEST_CASE("what NVML does not tell is said in few sentences") {
  Unreported unreported;
  for (const char* device : {"pci:a", "pci:b"}) unreported.asked(device);
  unreported.add("ecc_mode", "pci:a");
  unreported.add("ecc_mode", "pci:b");
  unreported.add("mig", "pci:a");
  unreported.add("mig", "pci:b");
  unreported.add("power", "pci:b");
  CHECK(unreported.sentences() == std::vector<std::string>{"NVML does not tell ecc_mode, mig of any GPU",
                                                           "NVML does not tell power of pci:b"});
}

TEST_CASE("no metric of gpu.counters has the name of one of gpu.health, so that the one can watch the other") {
  std::set<std::string> names{"gpus",       "gpus_on_pci", "gpus_lost",    "driver_branch",
                              "cuda_major", "xid",         "xid_hardware", "sxid"};
  for (const Figure& figure : health_figures()) CHECK(names.insert(figure.metric.name).second);
  for (const Figure& figure : counter_figures()) CHECK(names.insert(figure.metric.name).second);
}

TEST_CASE("GPU checks skip where there is no NVIDIA GPU, and say why") {
  SysrootFixture machine;
  for (const char* check : {"gpu.health", "gpu.counters", "gpu.inventory"}) {
    CAPTURE(check);
    const auto said = run_check_library(check, machine.directory());
    REQUIRE(std::holds_alternative<Skipped>(said.last()));
    CHECK(std::get<Skipped>(said.last()).why.starts_with("no NVIDIA GPU: PCI shows none, and "));
  }
}

TEST_CASE("GPU checks never ask this machine's driver about the GPUs of another") {
  SysrootFixture machine;
  add_pci_tree(machine);
  for (const char* check : {"gpu.health", "gpu.counters", "gpu.inventory"}) {
    CAPTURE(check);
    const auto said = run_check_library(check, machine.directory());
    REQUIRE(std::holds_alternative<Troubled>(said.last()));
    CHECK(std::get<Troubled>(said.last()).why ==
          "PCI shows 1 NVIDIA GPU, and none can be asked: NVML speaks of this machine, not of the one below " +
              machine.directory());
  }
}
