#include "tests/simulator/profile.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "checks/api/quantity.h"
#include "tests/simulator/shared_state.h"
#include "tests/simulator/yaml_fields.h"

namespace rackproof::simulator {
namespace {

constexpr int kMany = 1'000'000;
constexpr const char* kPrecisions[] = {"fp64", "fp32", "tf32", "bf16", "fp8"};

int small(YamlFields& fields, const std::string& name, int least, int most) {
  return static_cast<int>(fields.integer(name, least, most));
}

std::int64_t bytes(YamlFields& fields, const std::string& name) {
  return static_cast<std::int64_t>(fields.quantity(name, "B"));
}

// "13.0" → 13000, as CUDA counts.
int cuda_version(YamlFields& fields) {
  const std::string text = fields.text("cuda");
  int major = 0;
  int minor = 0;
  const char* end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, major);
  const bool has_point = first.ec == std::errc{} && first.ptr != end && *first.ptr == '.';
  const auto second = has_point ? std::from_chars(first.ptr + 1, end, minor) : first;
  if (!has_point || second.ec != std::errc{} || second.ptr != end || major < 1 || minor < 0 || minor > 9) {
    fields.refuse_field("cuda", "'cuda' is '" + text + "', not a version such as 13.0");
  }
  return 1000 * major + 10 * minor;
}

Port port(YamlFields fields) {
  Port port{.speed_gts = fields.quantity("speed", "GT/s"), .width = small(fields, "width", 1, 16)};
  if ((port.width & (port.width - 1)) != 0) fields.refuse_field("width", "PCIe has no link of that many lanes");
  fields.done();
  return port;
}

GpuKind gpu_kind(YamlFields fields) {
  GpuKind kind;
  kind.name = fields.text("name");
  kind.board_part = fields.text("board_part");
  kind.vbios = fields.text("vbios");
  kind.inforom = fields.text("inforom");
  kind.device_id = fields.integer("device_id", 1, 0xffff);
  kind.compute_major = small(fields, "compute_major", 1, 99);
  kind.compute_minor = small(fields, "compute_minor", 0, 9);
  kind.multiprocessors = small(fields, "multiprocessors", 1, 1000);
  kind.threads_per_multiprocessor = small(fields, "threads_per_multiprocessor", 32, 4096);
  kind.memory_bytes = bytes(fields, "memory");
  kind.memory_simulated_bytes = bytes(fields, "memory_simulated");
  kind.l2_bytes = bytes(fields, "l2");
  kind.sm_clock_mhz = fields.quantity("sm_clock", "MHz");
  kind.memory_clock_mhz = fields.quantity("memory_clock", "MHz");
  kind.idle_clock_mhz = fields.quantity("idle_clock", "MHz");
  kind.hbm_gbs = fields.quantity("memory_rate", "GB/s");
  kind.hbm_ns = fields.quantity("memory_latency", "ns");
  YamlFields rates = fields.map("gemm", "the rates of GEMM");
  for (const char* precision : kPrecisions) {
    if (rates.has(precision)) kind.tflops[precision] = rates.quantity(precision, "TFLOP/s");
  }
  rates.done();
  kind.idle_w = fields.quantity("idle_power", "W");
  kind.limit_w = fields.quantity("power_limit", "W");
  kind.idle_c = fields.quantity("idle_temperature", "degC");
  kind.load_c = fields.quantity("load_temperature", "degC");
  kind.slowdown_c = fields.quantity("slowdown_temperature", "degC");
  kind.shutdown_c = fields.quantity("shutdown_temperature", "degC");
  if (fields.has("nvlink")) {
    YamlFields nvlink = fields.map("nvlink", "NVLink");
    kind.nvlinks = small(nvlink, "links", 1, kMostNvlinks);
    kind.nvlink_version = small(nvlink, "version", 1, 9);
    kind.nvlink_gbs = nvlink.quantity("rate", "GB/s");
    kind.nvlink_ns = nvlink.quantity("latency", "ns");
    nvlink.done();
  }
  fields.done();
  return kind;
}

// "0000:17:00.0", lower case.
std::string address(YamlFields& fields) {
  const std::string text = fields.text("address");
  constexpr std::string_view kForm = "xxxx:xx:xx.x";
  bool fits = text.size() == kForm.size();
  for (std::size_t i = 0; fits && i < text.size(); ++i) {
    const bool is_digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    fits = kForm[i] == 'x' ? is_digit : text[i] == kForm[i];
  }
  if (!fits) fields.refuse_field("address", "'" + text + "' is no PCI address such as \"0000:17:00.0\" (lower case)");
  return text;
}

// What hangs below switches: each at an address of its own, below a switch that is there.
class Places {
 public:
  explicit Places(int switches) : switches_(switches) {}
  std::string address_of(YamlFields& fields) {
    std::string text = address(fields);
    if (!taken_.insert(text).second) fields.refuse_field("address", "two parts are at " + text);
    return text;
  }
  int upstream_of(YamlFields& fields) const { return small(fields, "switch", 0, switches_ - 1); }

 private:
  int switches_;
  std::set<std::string> taken_;
};

void read_parts(YamlFields& fields, Profile& profile) {
  std::vector<YamlFields> switches = fields.maps("switches", "a switch");
  if (switches.empty()) fields.refuse_field("switches", "a profile needs switches; a root port is one");
  Places places(static_cast<int>(switches.size()));
  for (YamlFields& each : switches) {
    profile.switches.push_back({.address = places.address_of(each),
                                .numa = small(each, "numa", 0, profile.sockets - 1),
                                .uplink = port(each.map("uplink", "the uplink of a switch")),
                                .gbs = each.quantity("rate", "GB/s"),
                                .is_root_port = each.flag_or("root_port", false)});
    each.done();
  }
  for (YamlFields& each : fields.maps("gpus", "a GPU")) {
    profile.gpus.push_back({.address = places.address_of(each),
                            .uuid = each.text("uuid"),
                            .serial = each.text("serial"),
                            .upstream = places.upstream_of(each),
                            .module = small(each, "module", 0, kMany)});
    each.done();
  }
  for (YamlFields& each : fields.maps("nics", "a NIC")) {
    profile.nics.push_back({.address = places.address_of(each),
                            .name = each.text("name"),
                            .upstream = places.upstream_of(each),
                            .gbs = each.quantity("rate", "GB/s")});
    each.done();
  }
  for (YamlFields& each : fields.maps("disks", "a disk")) {
    profile.disks.push_back({.address = places.address_of(each),
                             .name = each.text("name"),
                             .model = each.text("model"),
                             .upstream = places.upstream_of(each)});
    each.done();
  }
  const auto gpus = static_cast<int>(profile.gpus.size());
  if (gpus < 1 || gpus > kMostGpus) {
    fields.refuse_field("gpus", "a profile has from 1 to " + std::to_string(kMostGpus) + " GPUs, not " +
                                    std::to_string(gpus));
  }
}

void read_host(YamlFields fields, Profile& profile) {
  profile.h2d_gbs = fields.quantity("h2d", "GB/s");
  profile.d2h_gbs = fields.quantity("d2h", "GB/s");
  profile.both_gbs = fields.quantity("both", "GB/s");
  profile.host_ns = fields.quantity("latency", "ns");
  profile.socket_gbs = fields.quantity("between_sockets", "GB/s");
  profile.socket_ns = fields.quantity("between_sockets_latency", "ns");
  fields.done();
}

Collectives collectives(YamlFields fields) {
  Collectives nccl{.version = fields.text("version"),
                   .allreduce_gbs = fields.quantity("allreduce", "GB/s"),
                   .alltoall_gbs = fields.quantity("alltoall", "GB/s"),
                   .latency_us = fields.quantity("latency", "us"),
                   .channels = small(fields, "channels", 1, 64),
                   .channel_gbs = fields.quantity("channel_rate", "GB/s")};
  fields.done();
  return nccl;
}

Profile read(YamlFields fields) {
  Profile profile;
  profile.name = fields.text("profile");
  if (profile.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") != std::string::npos) {
    fields.refuse_field("profile", "'" + profile.name + "' is no name: lower-case letters, digits and '-'");
  }
  profile.summary = fields.text("summary");
  profile.system = fields.text("system");
  profile.driver = fields.text("driver");
  profile.cuda_version = cuda_version(fields);
  profile.sockets = small(fields, "sockets", 1, 8);
  profile.cores_per_socket = small(fields, "cores_per_socket", 1, 256);
  profile.memory_per_socket = bytes(fields, "memory_per_socket");
  profile.kind = gpu_kind(fields.map("gpu", "the kind of GPU"));
  profile.slot = port(fields.map("slot", "the slot of a GPU"));
  read_host(fields.map("host", "the host"), profile);
  read_parts(fields, profile);
  profile.nvswitches = fields.has("nvswitches") ? small(fields, "nvswitches", 0, 16) : 0;
  profile.nccl = collectives(fields.map("nccl", "NCCL"));
  profile.noise = fields.quantity_or_zero("noise", "ratio");
  profile.seed = static_cast<std::uint64_t>(fields.integer("seed", 0, kMany));
  fields.done();
  return profile;
}

}  // namespace

Profile read_profile(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error(file + ": cannot be read");
  try {
    return read(YamlFields(file, YAML::Load(stream), "the profile"));
  } catch (const YAML::Exception& error) {
    refuse(file, error.mark, "not YAML: " + error.msg);
  }
}

}  // namespace rackproof::simulator
